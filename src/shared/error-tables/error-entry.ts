import type { Localized } from '../language.ts'

/** `{name}` in a text is replaced by `data.name`. */
export interface ErrorEntry {
  status: number
  /** OpenAI's. */
  type: 'invalid_request_error' | 'not_found_error' | 'permission_error' | 'rate_limit_error' | 'server_error' | 'overloaded_error'
  message: Localized
  hint?: Localized
}
