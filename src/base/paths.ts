/** Where bendi keeps its files. Everything lies below one folder, `home`. */
import path from 'node:path'

export interface Paths {
  home: string
  models: string
  logs: string
  /** Things that can be deleted at any time: probe results, KV caches. */
  cache: string
  kvCache: string
  /** Holds the running server's address and token; mode 0600. */
  lockFile: string
  history: string
}

/** The data folder of this operating system, or `BENDI_HOME`. */
export function defaultHome(env: Record<string, string | undefined>, platform: NodeJS.Platform, userHome: string): string {
  if (env['BENDI_HOME']) return path.resolve(env['BENDI_HOME'])
  if (platform === 'darwin') return path.posix.join(userHome, 'Library', 'Application Support', 'bendi')
  if (platform === 'win32') return path.win32.join(env['LOCALAPPDATA'] ?? path.win32.join(userHome, 'AppData', 'Local'), 'bendi')
  return path.posix.join(env['XDG_DATA_HOME'] || path.posix.join(userHome, '.local', 'share'), 'bendi')
}

export function pathsBelow(home: string): Paths {
  const cache = path.join(home, 'cache')
  return {
    home,
    models: path.join(home, 'models'),
    logs: path.join(home, 'logs'),
    cache,
    kvCache: path.join(cache, 'kv'),
    lockFile: path.join(home, 'server.lock'),
    history: path.join(home, 'history.jsonl'),
  }
}
