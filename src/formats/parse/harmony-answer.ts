/**
 * Reads gpt-oss: `<|channel|>analysis<|message|>…<|end|><|start|>assistant<|channel|>final<|message|>…`; a message to `functions.NAME` is a call.
 * Source: the "harmony response format" document of the openai/harmony repository.
 */
import { endArguments, type CallSink } from './call-reader.ts'
import { JsonStream } from './json-stream.ts'
import { cutMark, findMark, heldForMarks, type TextWindow } from './text-window.ts'

export interface HarmonySink {
  calls: CallSink
  thought(text: string): void
  text(text: string): void
}

export type HarmonyState = 'header' | 'thought' | 'text' | 'call' | 'between'

const MARKS = ['<|start|>', '<|end|>', '<|message|>', '<|channel|>', '<|constrain|>', '<|call|>', '<|return|>']
/** UTF-16 units of a message's header. */
const MAX_HEADER = 512

export interface HarmonyReader {
  read(window: TextWindow): void
  readonly state: HarmonyState
}

/** `asText`: calls are not looked for (no tools): messages to functions are text. */
export function createHarmonyReader(sink: HarmonySink, asText: boolean): HarmonyReader {
  let state: HarmonyState = 'header'
  let header = ''
  /** The header holds one of the marks: it is surely one. */
  let marked = false
  let stream: JsonStream | undefined
  let thoughts = 0
  let texts = 0

  const read = (window: TextWindow): void => {
    for (;;) {
      const next = findMark(window.text, MARKS)
      const held = window.ended ? cutMark(window.text, MARKS) : heldForMarks(window, MARKS)
      const sure = next ? next.index : window.text.length - held
      body(window.text.slice(0, sure))
      window.text = window.text.slice(next ? sure + next.mark.length : sure)
      if (next) follow(next.mark)
      else break
    }
    if (window.ended) finish()
  }

  const body = (text: string): void => {
    if (text === '') return
    if (state === 'header') takeHeader(text)
    else if (state === 'thought') sink.thought(text)
    else if (state === 'call') stream?.push(text)
    else if (state === 'text') sink.text(text)
    else if (text.trim() !== '') {
      // A message without any header. Space before it may have come, and gone, alone.
      beginMessage('')
      sink.text(text.trimStart())
    }
  }

  /** What is too long for a header, or holds no word of one at the very beginning, is the answer itself. */
  const takeHeader = (text: string): void => {
    header += text
    if (header.length <= MAX_HEADER && (marked || mayBeHeader(header))) return
    const plain = MARKS.reduce((rest, mark) => rest.replaceAll(mark, ''), header)
    beginMessage('')
    sink.text(plain)
  }

  const follow = (mark: string): void => {
    if (mark === '<|message|>' && state === 'header') return beginMessage(header)
    if (mark === '<|channel|>' || mark === '<|start|>' || mark === '<|constrain|>') {
      if (state !== 'header') {
        endMessage()
        resetHeader()
        state = 'header'
      }
      header += mark
      marked = true
      return
    }
    endMessage()
    resetHeader()
    state = mark === '<|end|>' || mark === '<|call|>' || mark === '<|return|>' ? 'between' : state
  }

  const beginMessage = (text: string): void => {
    const name = /to=functions\.([^\s<]+)/.exec(text)?.[1]
    resetHeader()
    if (name !== undefined && !asText) {
      stream = new JsonStream(sink.calls.arguments, 'object')
      sink.calls.begin(name)
      state = 'call'
    } else if (text.includes('<|channel|>analysis')) {
      if (thoughts++ > 0) sink.thought('\n\n')
      state = 'thought'
    } else {
      if (texts++ > 0) sink.text('\n\n')
      state = 'text'
    }
  }

  const resetHeader = (): void => {
    header = ''
    marked = false
  }

  const endMessage = (): void => {
    if (stream) endArguments(stream, sink.calls)
    stream = undefined
  }

  const finish = (): void => {
    endMessage()
    if (state === 'header' && header !== '' && !marked) sink.text(header)
    resetHeader()
  }

  return {
    read,
    get state() {
      return state
    },
  }
}

/** `assistant to=functions.x<|channel|>commentary json`, `<|channel|>analysis`, or the beginning of such. */
function mayBeHeader(header: string): boolean {
  const text = header.trimStart()
  return text === '' || 'assistant'.startsWith(text) || text.startsWith('assistant') || 'to='.startsWith(text) || text.startsWith('to=')
}
