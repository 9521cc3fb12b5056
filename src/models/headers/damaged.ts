/** What every parser of this folder throws: the file is not what its first bytes promise. */
import { AppError } from '../../shared/errors.ts'

/** Makes errors for one file. `format` is the name that people know, e.g. `safetensors`. */
export function damageOf(path: string, format: string): (reason: string) => AppError {
  return (reason) => new AppError('damaged-file', { path, format, reason })
}
