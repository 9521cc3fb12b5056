/** Collects the pieces of one push, joining neighbours of the same kind. */
import type { AnswerPiece } from '../answer-pieces.ts'
import type { CallSink } from './call-reader.ts'

export class PieceList implements CallSink {
  #pieces: AnswerPiece[] = []
  #call = -1
  #argumentsBegun = false
  readonly #newId: () => string

  constructor(newId: () => string) {
    this.#newId = newId
  }

  /** Calls so far. */
  get calls(): number {
    return this.#call + 1
  }

  reasoning(text: string): void {
    this.#add('reasoning', text)
  }

  // Arrow functions: readers pass them on by themselves.
  text = (text: string): void => {
    this.#add('text', text)
  }

  begin = (name: string): void => {
    this.#call++
    this.#argumentsBegun = false
    this.#pieces.push({ type: 'call-begin', call: this.#call, id: this.#newId(), name })
  }

  arguments = (text: string): void => {
    if (text === '') return
    this.#argumentsBegun = true
    const last = this.#pieces.at(-1)
    if (last?.type === 'call-arguments') last.text += text
    else this.#pieces.push({ type: 'call-arguments', call: this.#call, text })
  }

  end = (repaired: boolean): void => {
    if (!this.#argumentsBegun) this.arguments('{}')
    this.#pieces.push({ type: 'call-end', call: this.#call, repaired })
  }

  takeAll(): AnswerPiece[] {
    const pieces = this.#pieces
    this.#pieces = []
    return pieces
  }

  #add(type: 'reasoning' | 'text', text: string): void {
    if (text === '') return
    const last = this.#pieces.at(-1)
    if (last?.type === type) last.text += text
    else this.#pieces.push({ type, text })
  }
}
