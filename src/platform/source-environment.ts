/** The settings that reach other hosts, as the model sources want them. */
import { readFile } from 'node:fs/promises'
import type { Config } from '../config/settings.ts'
import type { SourceEnvironment } from '../models/hubs/source.ts'
import { AppError } from '../shared/errors.ts'

/** Throws `usage` when the file of certificates cannot be read. */
export async function sourceEnvironment(config: Config): Promise<SourceEnvironment> {
  const { hfEndpoint, hfToken, hfMirror, modelscopeEndpoint, modelscopeToken, pip, pipIndexUrl, httpProxy, httpsProxy, noProxy, caFile } =
    config
  return {
    ...present({ hfEndpoint, hfToken, modelscopeEndpoint, modelscopeToken, pipIndexUrl }),
    ...(hfMirror === undefined ? {} : { hfMirror: hfMirror === 'off' ? (false as const) : hfMirror }),
    ...(pip === undefined ? {} : { pip: pip === 'off' ? (false as const) : pip.split(/\s+/) }),
    peers: config.peers,
    proxies: present({ http: httpProxy, https: httpsProxy, no: noProxy }),
    ...(caFile === undefined ? {} : { extraCertificates: [await readCertificates(caFile)] }),
  }
}

async function readCertificates(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new AppError('usage', { reason: `${file}: ${(error as Error).message}` })
  }
}

function present<T extends Record<string, string | undefined>>(values: T): { [Name in keyof T]?: string } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as { [Name in keyof T]?: string }
}
