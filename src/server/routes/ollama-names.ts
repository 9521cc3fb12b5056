/** Which of our models a name of Ollama's means. */
import type { Platform } from '../../platform/platform.ts'
import { plainReference, withoutLatest } from '../dialects/ollama-models.ts'

/** `NAME:latest` is NAME, unless there is one that is really called so. */
export async function ollamaName(platform: Platform, asked: string): Promise<string> {
  const name = plainReference(asked)
  const bare = withoutLatest(name)
  if (bare === 'default') return platform.resolveName(bare)
  if (bare === name) return name
  const known = await platform.modelNames()
  return known.includes(name) ? name : bare
}

/** Stops what runs and has nothing to do, so that it can be replaced or deleted. Whoever is busy goes on. */
export async function stopIdle(platform: Platform, name: string): Promise<boolean> {
  const deployment = (await platform.deployments.list()).find(({ model }) => model === name)
  if (!deployment) return true
  if (deployment.running + deployment.waiting > 0) return false
  await platform.deployments.stop(name)
  return true
}
