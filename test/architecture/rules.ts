/** The rules of ARCHITECTURE.md ("Who may import whom"), as data and functions over parsed files. Tests are not bound by them. */
import type { Import, SourceFile } from './source-file.ts'

const zones: Record<string, { may: readonly string[]; types?: readonly string[]; packages?: readonly string[] }> = {
  'src/shared': { may: [], packages: ['zod'] },
  'src/base': { may: ['src/shared'] },
  'src/config': { may: ['src/base', 'src/shared'] },
  'src/hardware': { may: ['src/base', 'src/shared'] },
  'src/models': { may: ['src/base', 'src/shared'] },
  'src/planner': { may: ['src/base', 'src/shared'], types: ['src/hardware', 'src/models'] },
  'src/formats': { may: ['src/base', 'src/shared'] },
  'src/store': { may: ['src/base', 'src/shared'] },
  'src/engine': { may: ['src/base', 'src/shared', 'src/formats'] },
  'src/platform': {
    may: ['base', 'shared', 'config', 'hardware', 'models', 'planner', 'formats', 'store', 'engine'].map((zone) => `src/${zone}`),
  },
  'src/server': { may: ['src/platform', 'src/base', 'src/shared'] },
  // Commands that work locally (up, serve, run, doctor, …) reach the platform, and the two that serve reach the server.
  'src/cli': { may: ['src/shared', 'src/base', 'src/config', 'src/platform', 'src/server'] },
  ui: { may: ['src/shared'] },
}

/** A name that only some files may use. `allowed` are paths (a folder ends with `/`). */
interface Reservation {
  name: RegExp
  allowed: readonly RegExp[]
}

const reservedNames: readonly Reservation[] = [
  { name: /^process\.env$/, allowed: [/^src\/config\//] },
  { name: /^console\./, allowed: [/^src\/cli\/output\.ts$/] },
  // Children of the engine are processes of their own, which nothing else ends.
  { name: /^process\.exit$/, allowed: [/^src\/cli\/main\.ts$/, /^src\/engine\/llama\/(worker|kernel-probe)\.ts$/] },
  {
    name: /^(fetch\(\)|globalThis\.fetch)$/,
    allowed: [/^src\/models\/(hubs\/|download\.ts$)/, /^src\/engine\/adapters\//, /^src\/base\/http\.ts$/, /^src\/shared\/client\.ts$/],
  },
]

const reservedPackages: readonly Reservation[] = [
  // Its `env`, `exit` would pass by the rules above.
  { name: /^(node:)?process$/, allowed: [/^src\/config\//] },
  { name: /^undici$/, allowed: [/^src\/models\/(hubs\/|download\.ts$)/, /^src\/engine\/adapters\//, /^src\/base\/(http|proxy)\.ts$/] },
  { name: /^koffi$/, allowed: [/^src\/engine\/llama\/binding[a-z-]*\.ts$/] },
  { name: /^(kysely|libsql|pg|better-sqlite3|node:sqlite)$/, allowed: [/^src\/store\//] },
]

const FORBIDDEN_FOLDERS = new Set(['utils', 'helpers', 'services', 'common'])
const MAX_LINES = 400
const SQL = /\b(SELECT\s.+\sFROM|INSERT\s+INTO|UPDATE\s.+\sSET|DELETE\s+FROM|CREATE\s+(TABLE|INDEX)|ALTER\s+TABLE)\b/s

/** One line for each violation, `path: what`; empty when all is well. */
export function violations(files: readonly SourceFile[]): string[] {
  const ruled = files.filter(({ path }) => /^(src|ui)\//.test(path) && !isTest(path) && !path.endsWith('.config.ts'))
  return [
    ...files.flatMap(nameViolations),
    ...ruled.flatMap((file) => [
      ...file.imports.flatMap((item) => importViolations(file, item)),
      ...reservedNames.flatMap((rule) => reservedName(file, rule)),
      ...contentViolations(file),
    ]),
    ...cycles(ruled).map((cycle) => `${cycle[0]}: cycle ${cycle.join(' → ')}`),
  ]
}

export function isTest(path: string): boolean {
  return /\.test\.tsx?$/.test(path)
}

function nameViolations({ path }: SourceFile): string[] {
  const parts = path.split('/')
  const file = parts.at(-1) ?? ''
  const folder = parts.slice(0, -1).find((part) => FORBIDDEN_FOLDERS.has(part))
  return [
    ...(folder ? [`${path}: a folder is a noun or a role, not "${folder}"`] : []),
    ...(/^[a-z0-9]+(-[a-z0-9]+)*(\.test|\.d|\.config)?\.(tsx?|mjs)$/.test(file) ? [] : [`${path}: the file name is not kebab-case`]),
  ]
}

function importViolations(file: SourceFile, item: Import): string[] {
  if (item.target === undefined) return packageViolations(file, item)
  const [from, to] = [zoneOf(file.path), zoneOf(item.target)]
  const wrong: string[] = []
  if (from !== undefined && from !== to && !mayImport(from, to, item.typeOnly)) wrong.push(`${file.path}: may not import ${item.target}`)
  if (/^src\/engine\/llama\/(?!engine\.ts$)/.test(item.target) && !file.path.startsWith('src/engine/llama/')) {
    wrong.push(`${file.path}: the embedded engine is seen only through engine.ts, not ${item.target}`)
  }
  return wrong
}

function mayImport(from: string, to: string | undefined, typeOnly: boolean): boolean {
  const zone = zones[from]
  if (!zone || to === undefined) return false
  return zone.may.includes(to) || (typeOnly && (zone.types?.includes(to) ?? false))
}

function packageViolations(file: SourceFile, { specifier }: Import): string[] {
  const zone = zoneOf(file.path)
  const name = specifier.startsWith('@') ? specifier.split('/').slice(0, 2).join('/') : (specifier.split('/')[0] ?? '')
  const only = zone === undefined ? undefined : zones[zone]?.packages
  const wrong: string[] = []
  if (only && !only.includes(name)) wrong.push(`${file.path}: ${zone} imports only ${only.join(', ')}, not ${name}`)
  if (zone === 'ui' && specifier.startsWith('node:')) wrong.push(`${file.path}: the page has no ${specifier}`)
  const reserved = reservedPackages.find((rule) => rule.name.test(name) && !rule.allowed.some((allowed) => allowed.test(file.path)))
  if (reserved) wrong.push(`${file.path}: may not import ${name}`)
  return wrong
}

function reservedName(file: SourceFile, { name, allowed }: Reservation): string[] {
  // The page is served by us and calls its own origin; its developer tools may use the console.
  if (file.path.startsWith('ui/') || allowed.some((place) => place.test(file.path))) return []
  return [...file.uses].filter((used) => name.test(used)).map((used) => `${file.path}: may not use ${used}`)
}

function contentViolations(file: SourceFile): string[] {
  return [
    ...(file.lines > MAX_LINES ? [`${file.path}: ${file.lines} lines, more than ${MAX_LINES}`] : []),
    ...(file.path.startsWith('src/') && file.barrel ? [`${file.path}: only re-exports, a barrel`] : []),
    ...(file.path.startsWith('src/') && !file.path.startsWith('src/store/') && file.strings.some((text) => SQL.test(text))
      ? [`${file.path}: SQL outside of src/store`]
      : []),
  ]
}

/** The first two parts of a path below src/, or `ui`; undefined for anything else. */
export function zoneOf(path: string): string | undefined {
  if (path.startsWith('ui/')) return 'ui'
  return /^src\/[^/]+(?=\/)/.exec(path)?.[0]
}

/** Every import cycle once, as the paths along it (depth-first search; each back edge closes one). */
export function cycles(files: readonly SourceFile[]): string[][] {
  const graph = new Map(files.map((file) => [file.path, file.imports.flatMap(({ target }) => target ?? [])]))
  const done = new Set<string>()
  const found: string[][] = []
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path)
    if (start >= 0) found.push([...trail.slice(start), path])
    if (start >= 0 || done.has(path)) return
    for (const next of graph.get(path) ?? []) visit(next, [...trail, path])
    done.add(path)
  }
  for (const path of graph.keys()) visit(path, [])
  return found
}
