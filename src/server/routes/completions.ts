import { Hono } from 'hono'
import type { Platform } from '../../platform/platform.ts'
import type { GenerateEvent, GenerateRequest, TokenLogprob } from '../../shared/generate.ts'
import { createCompletionEncoder } from '../dialects/openai-completions-stream.ts'
import { completionReply, keepBest, parseCompletion, type CompletionCall, type Echo } from '../dialects/openai-completions.ts'
import type { ReplyHead } from '../dialects/openai-reply.ts'
import { languageOf } from '../error-reply.ts'
import { jsonReply, streamReply } from '../generation-reply.ts'
import { readJson } from '../json-body.ts'
import { mergeGenerations } from '../merge-generations.ts'
import { fingerprintOf, tellIgnored, unixSeconds, type RouteContext } from '../route-context.ts'

/** `POST /v1/completions` */
export function completionRoutes(context: RouteContext): Hono {
  const { platform, version, now, newId, bodyLimit } = context
  return new Hono().post('/v1/completions', async (c) => {
    const id = `cmpl-${newId()}`
    const asked = parseCompletion(await readJson(c, bodyLimit), id)
    tellIgnored(c, asked.ignored)
    const model = await platform.resolveName(asked.requests[0]?.model ?? 'default')
    const call = { ...asked, requests: asked.requests.map((request) => ({ ...request, model })) }
    const head: ReplyHead = { id, created: unixSeconds(now()), model, fingerprint: fingerprintOf(version) }
    const echoes = await openEchoes(call, platform)
    const open = opener(call, platform, echoes)
    const { choices, withLogprobs, includeUsage } = call
    const { echoOf } = echoes
    if (!call.stream) {
      const generated = call.requests.reduce((sum, request) => sum + request.choices, 0)
      return jsonReply(c, open, generated, (answer) => completionReply(keepBest(answer, call), head, { withLogprobs, echoOf }))
    }
    const language = languageOf(c.req.header('accept-language'))
    return streamReply(c, context, open, createCompletionEncoder(head, { choices, includeUsage, echoOf, language }))
  })
}

interface Echoes {
  echoOf(choice: number): Echo | undefined
  /** Called by the generation of one prompt, before its first text. */
  learn(prompt: number, tokens: readonly TokenLogprob[]): void
}

/** The texts of the prompts are known at once, their log-probabilities when the engine has read them. */
async function openEchoes(call: CompletionCall, platform: Platform): Promise<Echoes> {
  if (!call.echo) return { echoOf: () => undefined, learn: () => {} }
  const texts = await Promise.all(call.requests.map(({ prompt, model }) => promptText(prompt, model, platform)))
  const tokens = new Map<number, readonly TokenLogprob[]>()
  return {
    echoOf: (choice) => {
      const prompt = Math.floor(choice / call.perPrompt)
      const text = texts[prompt]
      return text === undefined ? undefined : { text, tokens: tokens.get(prompt) ?? [] }
    },
    learn: (prompt, list) => tokens.set(prompt, list),
  }
}

async function promptText(prompt: GenerateRequest['prompt'], model: string, platform: Platform): Promise<string> {
  switch (prompt.type) {
    case 'text':
      return prompt.text
    case 'infill':
      return prompt.prefix
    case 'tokens':
      return platform.detokenize(model, prompt.tokens)
    case 'messages':
      return ''
  }
}

type Open = (signal: AbortSignal) => AsyncIterable<GenerateEvent>

/** Prompts run at the same time; the scheduler decides what that means. */
function opener({ requests }: CompletionCall, platform: Platform, echoes: Echoes): Open {
  const opens = requests.map(
    (request, prompt): Open =>
      (signal) =>
        learning(platform.generate(request, signal), (tokens) => echoes.learn(prompt, tokens)),
  )
  const [first] = opens
  return first && opens.length === 1 ? first : (signal) => mergeGenerations(opens, requests[0]?.choices ?? 1, signal)
}

async function* learning(
  events: AsyncIterable<GenerateEvent>,
  learn: (tokens: readonly TokenLogprob[]) => void,
): AsyncGenerator<GenerateEvent, void, undefined> {
  for await (const event of events) {
    if (event.type === 'prompt-logprobs') learn(event.tokens)
    else yield event
  }
}
