/** The real server over a scripted engine, for what coding agents and chat programs send. */
import type { GenerateEvent, GenerateRequest } from '../../src/shared/generate.ts'
import { answer, type AnswerOptions } from '../fakes/scripted-engine.ts'
import { createScriptedServer, type ScriptedServer } from '../fakes/scripted-server.ts'

export interface ClientsServer extends ScriptedServer {
  /** What the model calls from now on. */
  calls: NonNullable<AnswerOptions['calls']>
  asked(): GenerateRequest
  /** The conversation of the last request. */
  conversation(): Extract<GenerateRequest['prompt'], { type: 'messages' }>
}

/** A prompt of 42 tokens, 30 of them cached; a thought, a text, and the calls. */
export function createClientsServer(): ClientsServer {
  const mine: Pick<ClientsServer, 'calls'> = { calls: [] }
  function* script(): Generator<GenerateEvent> {
    yield { type: 'prefill', done: 30, total: 42 }
    yield* answer('I look at it.', { reasoning: 'let me think', calls: mine.calls, usage: { promptTokens: 42, cachedTokens: 30 } })
  }
  const server = createScriptedServer({ script })
  const asked = (): GenerateRequest => {
    const request = server.engine.requests.at(-1)
    if (!request) throw new Error('nothing was asked')
    return request
  }
  return Object.assign(mine, server, {
    asked,
    conversation: () => {
      const { prompt } = asked()
      if (prompt.type !== 'messages') throw new Error('not a conversation')
      return prompt
    },
  })
}

/** The fields that had no effect. */
export function ignoredIn(response: Response): string[] {
  return (response.headers.get('x-bendi-ignored') ?? '').split(', ').filter(Boolean)
}

/** What generators of schemas put at the top. */
export const DRAFT_7 = { $schema: 'http://json-schema.org/draft-07/schema#', additionalProperties: false } as const
