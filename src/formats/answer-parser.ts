/**
 * What a model writes → thoughts, text and tool calls, while it streams in. The pieces, joined, never depend on where the stream was cut; little is held.
 *
 *   start ──<think>──▶ thinking ──</think>──▶ gap ──▶ answer ◀──▶ calling
 *     └───────────────────────────────────────────────▶┘    └─▶ between (white space and stray marks behind calls)
 *
 * Decisions where models and peers differ:
 * - A call to a name that is not among the tools is passed on in marked syntaxes, as vLLM and llama.cpp do (the client can tell the model);
 *   without marks (Llama 3's bare JSON) it is text, since any JSON answer would look like it.
 * - Arguments that stop being JSON are repaired so that what was sent stays their beginning; where that fails they are closed as they stand.
 * - A block without a usable name is no call: its inner text is text, its marks are dropped.
 * - With `toolChoice: none` or without tools nothing is read as a call.
 */
import type { AnswerParser as Parser, AnswerParserOptions as Options, AnswerPiece as Piece } from './answer-pieces.ts'
import { AnswerReader } from './parse/answer-reader.ts'
import { PieceList } from './parse/piece-list.ts'
import type { TextWindow } from './parse/text-window.ts'
import { createHarmonyStages } from './parse/harmony-stages.ts'

export type AnswerPiece = Piece
export type AnswerParser = Parser
export type AnswerParserOptions = Options

/** UTF-16 units that are looked at together: bounds the work on a long piece with many marks. */
const CHUNK = 512

export function createAnswerParser(options: AnswerParserOptions): AnswerParser {
  const pieces = new PieceList(options.newId)
  const stages = options.dialect.tools.type === 'harmony' ? createHarmonyStages(options, pieces) : new AnswerReader(options, pieces)
  const window: TextWindow = { text: '', ended: false }
  let isOver = false
  const taken = (): AnswerPiece[] => {
    const all = pieces.takeAll()
    if (options.parallelToolCalls !== false) return all
    if (isOver) return []
    const end = all.findIndex(({ type }) => type === 'call-end')
    isOver = end >= 0
    return isOver ? all.slice(0, end + 1) : all
  }
  return {
    push: (text) => {
      for (let start = 0; start < text.length; start += CHUNK) {
        window.text += text.slice(start, start + CHUNK)
        stages.read(window)
      }
      return taken()
    },
    end: () => {
      window.ended = true
      stages.read(window)
      return taken()
    },
    get isOver() {
      return isOver
    },
    get state() {
      return stages.state
    },
  }
}
