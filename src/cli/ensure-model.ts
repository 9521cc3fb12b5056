/** The model that a reference names: from the library, or downloaded now. */
import type { Model } from '../shared/api.ts'
import { AppError } from '../shared/errors.ts'
import type { Backend } from './backend.ts'
import type { CommandContext } from './command.ts'
import { followPull, pullSettings } from './follow-pull.ts'

/** Throws why it can be neither found nor pulled. `writer` is asked for only when something must be downloaded, and closed after. */
export async function ensureModel(
  reference: string,
  context: CommandContext,
  backend: Backend,
  writer: () => Promise<Backend> = async () => backend,
): Promise<Model> {
  const known = await findModel(reference, backend)
  if (known) return known
  const owner = await writer()
  try {
    const { output, io, signal, config } = context
    return await followPull(reference, { backend: owner, output, columns: io.columns, signal, wishes: pullSettings(config) })
  } finally {
    if (owner !== backend) await owner.close()
  }
}

async function findModel(reference: string, backend: Backend): Promise<Model | undefined> {
  try {
    return await backend.showModel(reference)
  } catch (error) {
    if (error instanceof AppError && error.code === 'model-not-found') return undefined
    throw error
  }
}
