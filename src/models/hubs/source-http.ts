/** Connections to the sources of models, as the settings want them. */
import { createHttp } from '../../base/http.ts'
import type { Http } from '../../base/http.ts'
import type { SourceEnvironment } from './source.ts'

/** Must be closed. */
export function sourceHttp({ proxies, extraCertificates = [] }: SourceEnvironment): Http {
  return createHttp({ ...(proxies ? { proxies } : {}), extraCertificates })
}
