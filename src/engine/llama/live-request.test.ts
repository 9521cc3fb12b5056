import { describe, expect, it } from 'vitest'
import type { AnswerParser } from '../../formats/answer-parser.ts'
import type { GenerateEvent } from '../../shared/generate.ts'
import { LiveRequest } from './live-request.ts'
import type { GenerateCommand, WorkerEvent } from './messages.ts'

const command = (choices: number): GenerateCommand => ({
  type: 'generate',
  id: 1,
  prompt: { type: 'tokens', tokens: [1] },
  sampling: {},
  stop: [],
  ignoreEos: false,
  choices,
  deterministic: false,
  promptLogprobs: false,
  background: false,
  markup: [],
})

const text = (choice: number, words: string): WorkerEvent => ({ type: 'text', choice, text: words, tokens: 1, thoughtTokens: 0 })

/** Passes everything on and has heard enough at the first full stop. */
function untilFullStop(): AnswerParser {
  let isOver = false
  return {
    push: (words) => {
      isOver ||= words.includes('.')
      return [{ type: 'text', text: words }]
    },
    end: () => [],
    state: 'answer',
    get isOver() {
      return isOver
    },
  }
}

async function read(live: LiveRequest): Promise<GenerateEvent[]> {
  const events: GenerateEvent[] = []
  for await (const event of live.events) events.push(event)
  return events
}

describe('LiveRequest', () => {
  it('asks once for the end of each answer that has said enough, and takes what comes until then', async () => {
    const ended: number[] = []
    const live = new LiveRequest({
      requestId: 'r',
      command: command(2),
      notices: [],
      createParser: untilFullStop,
      endChoice: (choice) => ended.push(choice),
    })
    for (const event of [text(0, 'One'), text(1, 'Two.'), text(1, 'more'), text(0, ' end.')]) live.take(event)
    expect(ended).toEqual([1, 0])
    live.take({ type: 'choice-end', choice: 1, reason: 'stop' })
    live.fail(new Error('over'))
    expect((await read(live)).map((event) => event.type)).toEqual([
      'text-delta',
      'text-delta',
      'text-delta',
      'text-delta',
      'choice-end',
      'error',
    ])
  })
})
