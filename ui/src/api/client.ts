import { createClient, type Client } from '../../../src/shared/client.ts'
import { AppError } from '../../../src/shared/errors.ts'
import type { WireError } from '../../../src/shared/generate.ts'
import { currentLanguage } from '../i18n/i18n.ts'

/** The server that the page came from. */
export const client: Client = createClient({ language: currentLanguage })

/** Whatever was thrown, as data that can be kept and told in either language. */
export function errorData(error: unknown): WireError {
  if (error instanceof AppError) return { code: error.code, data: error.data, message: error.message }
  if (error instanceof TypeError) return { code: 'connection-lost', data: {}, message: error.message }
  const reason = error instanceof Error ? error.message : String(error)
  return { code: 'internal', data: { reason }, message: reason }
}

/** The server cannot be reached, as opposed to: it answered with an error. */
export function isConnectionError(error: unknown): boolean {
  if (!error) return false
  const { code } = errorData(error)
  return code === 'connection-lost' || code === 'server-unreachable'
}
