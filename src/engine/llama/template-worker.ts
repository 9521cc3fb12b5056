/** The thread of `template-thread.ts`: renders one conversation after another. */
import { parentPort } from 'node:worker_threads'
import { renderChatTemplate } from '../../formats/chat-template.ts'
import { toWireError } from '../../shared/errors.ts'
import type { TemplateJob, TemplateReply } from './template-thread.ts'

const port = parentPort
port?.on('message', ({ source, prompt }: TemplateJob) => port.postMessage(reply({ source, prompt })))
port?.postMessage({ type: 'ready' } satisfies TemplateReply)

function reply({ source, prompt }: TemplateJob): TemplateReply {
  try {
    return { type: 'rendered', result: renderChatTemplate(source, prompt) }
  } catch (error) {
    return { type: 'failed', error: toWireError(error) }
  }
}
