/** What people copy from the address line of a hub's page, as a reference. Pure. */

const HOSTS: Readonly<Record<string, 'hf' | 'ms'>> = {
  'huggingface.co': 'hf',
  'hf.co': 'hf',
  'hf-mirror.com': 'hf',
  'modelscope.cn': 'ms',
}
/** The branch that is meant when none is named. */
const USUAL: Readonly<Record<'hf' | 'ms', string>> = { hf: 'main', ms: 'master' }

/**
 * `huggingface.co/org/repo/blob/main/x.gguf` → `{ hub: 'hf', rest: 'org/repo/x.gguf' }`; also of a repository's own page, and
 * `hf.co/org/repo:Q4_K_M`. With or without `https://`. Undefined for addresses that name no repository of a hub.
 */
export function hubAddress(address: string): { hub: 'hf' | 'ms'; rest: string } | undefined {
  const full = /^https?:\/\//i.test(address) ? address : `https://${address}`
  if (!URL.canParse(full)) return undefined
  const url = new URL(full)
  const hub = HOSTS[url.hostname.replace(/^www\./, '')]
  if (hub === undefined) return undefined
  // Each by itself: a branch such as `refs/pr/1` is one part.
  const parts = url.pathname
    .replace(/^\/models\//, '/')
    .split('/')
    .map(decoded)
  const [owner, name, ...more] = parts.filter((part) => part !== '')
  if (owner === undefined || name === undefined) return undefined
  const { file, revision } = placeIn(more)
  const at = revision === undefined || revision === USUAL[hub] ? '' : `@${revision}`
  return { hub, rest: `${owner}/${name}${file === '' ? '' : `/${file}`}${at}` }
}

/** `blob/main/x.gguf`, `resolve/<commit>/x.gguf`, `tree/main`; at ModelScope `file/view/master/x.gguf`, `files`, `summary`. */
function placeIn([kind, ...more]: readonly string[]): { file: string; revision?: string } {
  const [revision, ...folders] = kind === 'file' && more[0] === 'view' ? more.slice(1) : more
  if (revision === undefined || !['blob', 'resolve', 'raw', 'tree', 'file'].includes(kind ?? '')) return { file: '' }
  const file = folders.join('/')
  return { file: /\.gguf$/i.test(file) ? file : '', revision }
}

/** A stray `%` stays what it is, and is refused as any odd name. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
