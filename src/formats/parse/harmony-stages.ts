/** gpt-oss's channels as the stages of an answer. */
import type { AnswerParserOptions, AnswerState } from '../answer-pieces.ts'
import { allowedTools } from '../output-constraint.ts'
import type { AnswerStages } from './answer-reader.ts'
import { createHarmonyReader, type HarmonySink } from './harmony-answer.ts'
import type { PieceList } from './piece-list.ts'

export function createHarmonyStages({ tools, toolChoice, split }: AnswerParserOptions, pieces: PieceList): AnswerStages {
  let thoughtInText = false
  /** With `split: false` the channels' marks make way for tags that everybody knows. */
  const leaveThought = (): void => {
    if (thoughtInText) pieces.text('</think>\n\n')
    thoughtInText = false
  }
  const sink: HarmonySink = {
    calls: { begin: (name) => (leaveThought(), pieces.begin(name)), arguments: pieces.arguments, end: pieces.end, text: pieces.text },
    thought: (text) => {
      if (split) return pieces.reasoning(text)
      if (!thoughtInText) pieces.text('<think>')
      thoughtInText = true
      pieces.text(text)
    },
    text: (text) => {
      leaveThought()
      pieces.text(text)
    },
  }
  const reader = createHarmonyReader(sink, allowedTools(tools, toolChoice).length === 0)
  return {
    read: (window) => {
      reader.read(window)
      if (window.ended) leaveThought()
    },
    get state(): AnswerState {
      if (reader.state === 'call') return 'calling'
      return reader.state === 'thought' ? 'thinking' : 'answer'
    },
  }
}
