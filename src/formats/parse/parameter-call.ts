/** A call whose parameters are elements of their own → its arguments as one JSON object. */
import type { Tool } from '../../shared/generate.ts'
import type { CallSink } from './call-reader.ts'
import { parameterTypes } from './parameter-types.ts'
import { ParameterValue } from './parameter-value.ts'
import { repairObject } from './repair-json.ts'

/** Text between tags that may turn out to be the arguments as JSON. */
const MAX_LOOSE = 64 * 1024

export class ParameterCall {
  readonly #sink: CallSink
  readonly #tool: Tool | undefined
  readonly #python: boolean
  readonly #names = new Set<string>()
  #value: 'none' | 'ignored' | ParameterValue = 'none'
  #loose = ''
  #repaired = false

  /** `python`: values are written in Python's way. */
  constructor(name: string, { tools, sink, python }: { tools: readonly Tool[]; sink: CallSink; python: boolean }) {
    this.#sink = sink
    this.#tool = tools.find((tool) => tool.name === name)
    this.#python = python
    sink.begin(name)
  }

  /** Of the parameter that has begun. */
  write(text: string): void {
    if (typeof this.#value === 'object') this.#value.push(text)
  }

  /** Outside of parameters. */
  writeLoose(text: string): void {
    this.#loose = (this.#loose + text).slice(0, MAX_LOOSE)
  }

  /** One that is given twice counts the first time. */
  beginParameter(name: string, saysText?: boolean): void {
    this.endParameter()
    if (this.#names.has(name)) {
      this.#repaired = true
      this.#value = 'ignored'
      return
    }
    this.#sink.arguments(`${this.#names.size === 0 ? '{' : ', '}${JSON.stringify(name)}: `)
    this.#names.add(name)
    this.#value = new ParameterValue(this.#sink.arguments, { types: parameterTypes(this.#tool, name), saysText, python: this.#python })
  }

  endParameter(): void {
    if (typeof this.#value === 'object' && this.#value.end()) this.#repaired = true
    this.#value = 'none'
  }

  /** `cut`: a tag that should have come is missing. */
  end(cut: boolean): void {
    this.endParameter()
    if (this.#names.size > 0) this.#sink.arguments('}')
    else this.#endWithoutParameters()
    this.#sink.end(this.#repaired || cut)
  }

  /** Some write the arguments as one JSON object inside of the call. */
  #endWithoutParameters(): void {
    const loose = this.#loose.trim()
    const value = loose === '' ? undefined : repairObject(loose)
    if (loose !== '') this.#repaired = true
    this.#sink.arguments(value ? JSON.stringify(value) : '{}')
  }
}
