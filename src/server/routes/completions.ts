import { Hono } from 'hono'
import type { Platform } from '../../platform/platform.ts'
import type { GenerateRequest } from '../../shared/generate.ts'
import { completionReply, createCompletionEncoder, parseCompletion, type CompletionCall } from '../dialects/openai-completions.ts'
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
    const echoes = call.echo ? await echoesOf(call.requests, platform) : []
    const open = opener(call, platform)
    const withLogprobs = call.requests[0]?.logprobs !== undefined
    if (!call.stream) return jsonReply(c, open, call.choices, (answer) => completionReply(answer, head, { withLogprobs, echoes }))
    const language = languageOf(c.req.header('accept-language'))
    const { choices, includeUsage } = call
    return streamReply(c, context, open, createCompletionEncoder(head, { choices, includeUsage, echoes, language }))
  })
}

type Open = (signal: AbortSignal) => ReturnType<Platform['generate']>

/** Prompts run at the same time; the scheduler decides what that means. */
function opener({ requests }: CompletionCall, platform: Platform): Open {
  const opens = requests.map(
    (request): Open =>
      (signal) =>
        platform.generate(request, signal),
  )
  const [first] = opens
  return first && opens.length === 1 ? first : (signal) => mergeGenerations(opens, requests[0]?.choices ?? 1, signal)
}

/** Each choice's prompt as text. */
async function echoesOf(requests: readonly GenerateRequest[], platform: Platform): Promise<string[]> {
  const texts = await Promise.all(requests.map(({ prompt, model }) => promptText(prompt, model, platform)))
  return texts.flatMap((text, index) => Array.from({ length: requests[index]?.choices ?? 1 }, () => text))
}

async function promptText(prompt: GenerateRequest['prompt'], model: string, platform: Platform): Promise<string> {
  if (prompt.type === 'text') return prompt.text
  return prompt.type === 'tokens' ? platform.detokenize(model, prompt.tokens) : ''
}
