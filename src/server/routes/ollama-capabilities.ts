/** What models can do, remembered: to read it out of a file takes a tenth of a second. */
import type { Platform } from '../../platform/platform.ts'
import type { OllamaCapability } from '../../shared/ollama/replies.ts'
import { capabilitiesOf } from '../dialects/ollama-models.ts'

/** Undefined when the model's file says nothing about its format, or is not here yet. */
export type Capabilities = (name: string) => Promise<readonly OllamaCapability[] | undefined>

/** Models remembered at most. */
const KEPT = 64

export function createCapabilities(platform: Platform): Capabilities {
  const known = new Map<string, readonly OllamaCapability[] | undefined>()
  const read = async (name: string): Promise<readonly OllamaCapability[] | undefined> => {
    const model = await platform.models.show(name)
    // A file that is used in place has a new time each time that it is asked for.
    const key = JSON.stringify([model.name, model.bytes, model.source === 'file' ? model.files : model.addedAt])
    if (known.has(key)) return known.get(key)
    const report = await platform.care.report(model.name)
    const capabilities = report.chatTemplate === undefined ? undefined : capabilitiesOf(report)
    if (known.size >= KEPT) known.clear()
    known.set(key, capabilities)
    return capabilities
  }
  // Whatever is wrong with the model is told better by those who use it.
  return (name) => read(name).catch(() => undefined)
}
