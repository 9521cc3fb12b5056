/** The rows of logits of the last decode, as views of native memory that are made again only when libllama moved its buffer. */
import type { ContextPointer } from './binding-types.ts'
import type { LlamaModel } from './model.ts'

export class LogitRows {
  #model: LlamaModel
  #address: bigint | undefined
  #views: Float32Array[] = []

  constructor(model: LlamaModel) {
    this.#model = model
  }

  /** After each decode; `rows` is the number of outputs in its batch. */
  refresh(context: ContextPointer, rows: number): void {
    const { binding, shape } = this.#model
    const address = binding.logits(context)
    if (address === undefined) throw new Error('libllama returned no logits')
    if (address === this.#address && rows <= this.#views.length) return
    const width = shape.vocabularySize
    const all = binding.viewFloats(address, rows * width)
    this.#address = address
    this.#views = Array.from({ length: rows }, (_, row) => all.subarray(row * width, (row + 1) * width))
  }

  /** In the order of the outputs in the batch. */
  row(index: number): Float32Array {
    const view = this.#views[index]
    if (!view) throw new Error(`there is no row ${index} of logits`)
    return view
  }

  /** When the context is gone. */
  forget(): void {
    this.#address = undefined
    this.#views = []
  }
}
