/** Finds repositories by name, words, family, task and size. */
import type { CatalogueAnswer, CatalogueQuery } from '../../shared/api.ts'
import { AppError } from '../../shared/errors.ts'
import { catalogueEntry, entryOfSource, suggestions } from './catalogue.ts'
import { downloadBytes, itemOf, shortNamesOf } from './describe.ts'
import { taskName } from './explain.ts'
import { LICENSES } from './licenses.ts'
import { looksLikeModelName, nameMeanings } from './name-meaning.ts'
import { parseModelName } from './naming.ts'
import { REPOSITORIES, repositoryOf } from './repositories.ts'
import { TASKS } from './repository.ts'
import type { CatalogueModel, Task } from './repository.ts'

/**
 * The repository that a text names: `DeepSeek-R1`, `deepseek-ai/DeepSeek-R1`, `deepseek-r1:7b`, `hf:owner/repo:Q4_K_M@rev`,
 * or a repository of GGUF files that the catalogue knows. A repository's own name goes before a short name that is spelt the same.
 */
export function findModel(text: string): CatalogueModel | undefined {
  const name = text.trim()
  const short = catalogueEntry(name) ?? entryOfSource(name)
  const own = repositoryOf(name) ?? (short && repositoryOf(short.title))
  if (own) return own
  const bare = name.replace(/^(hf|ms):/i, '').replace(/@[^@]*$/, '')
  return [name, bare, bare.replace(/:[^:]*$/, '')].map((item) => repositoryOf(item) ?? byGguf(item)).find((model) => model !== undefined)
}

/** Of several that share one quantiser's repository the first; the list is DeepSeek's newest first. */
function byGguf(repository: string): CatalogueModel | undefined {
  if (!repository.includes('/')) return undefined
  const wanted = repository.toLowerCase()
  const known = REPOSITORIES.find((model) => model.gguf.some((item) => item.toLowerCase().split(' ')[0] === wanted))
  return known ?? repositoryOf(repository.slice(repository.lastIndexOf('/') + 1).replace(/-GGUF$/i, ''))
}

/** Exact names first, then in the catalogue's order. Throws `invalid-field` for a task or size that is none. */
export function searchModels(query: CatalogueQuery): CatalogueAnswer {
  const fitsSize = sizeTest(query.maxSize)
  const task = query.task === undefined ? undefined : taskOf(query.task)
  const words = wordsOf(query.q)
  const family = simple(query.family ?? '')
  const exact = query.q === undefined ? undefined : findModel(query.q)
  const found = REPOSITORIES.filter((model) => {
    if (family !== '' && !simple(model.family).includes(family)) return false
    if (task !== undefined && !model.tasks.includes(task)) return false
    return fitsSize(model) && (model === exact || words.every((word) => haystack(model).includes(word)))
  })
  const models = found.toSorted((a, b) => Number(b === exact) - Number(a === exact)).map(itemOf)
  return { models, ...(models.length === 0 && query.q !== undefined ? helpFor(query.q) : {}) }
}

/** Short names and repositories near to what was typed, at most five. */
export function nearestNames(text: string): string[] {
  const wanted = simple(text)
  const begun = wanted.length < 3 ? [] : REPOSITORIES.filter((model) => simple(model.id).startsWith(wanted)).map((model) => model.id)
  return [...new Set([...suggestions(text), ...begun])].slice(0, 5)
}

function helpFor(text: string): Pick<CatalogueAnswer, 'name' | 'suggestions'> {
  const near = nearestNames(text)
  return {
    ...(looksLikeModelName(text) ? { name: nameMeanings(text) } : {}),
    ...(near.length > 0 ? { suggestions: near } : {}),
  }
}

/** Letters and digits alone: `V3.1` is not `V31`, so the dot stays. */
function simple(text: string): string {
  return text.toLowerCase().replace(/[^\p{L}\p{N}.]+/gu, '')
}

function wordsOf(text: string | undefined): string[] {
  return (text ?? '')
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '')
}

const haystacks = new WeakMap<CatalogueModel, string>()

function haystack(model: CatalogueModel): string {
  const known = haystacks.get(model)
  if (known !== undefined) return known
  const { id, owner, family, base, use, tasks, architecture, license, gguf } = model
  const names = shortNamesOf(model).flatMap((entry) => entry.aliases.concat(entry.name))
  const taskWords = tasks.flatMap((task) => [task, taskName(task).en, taskName(task).zh])
  const text = [`${owner}/${id}`, family, base ?? '', use, architecture, LICENSES[license].name.en, ...gguf, ...names, ...taskWords]
    .join('\n')
    .toLowerCase()
  haystacks.set(model, text)
  return text
}

/** In either language: `code`, `代码`. Throws `invalid-field`. */
function taskOf(text: string): Task {
  const wanted = text.trim().toLowerCase()
  const aliases: Readonly<Record<string, Task>> = {
    coding: 'code',
    programming: 'code',
    代码: 'code',
    ocr: 'documents',
    image: 'vision',
    视觉: 'vision',
    证明: 'proof',
  }
  const task =
    TASKS.find((item) => item === wanted || taskName(item).zh === wanted) ?? (Object.hasOwn(aliases, wanted) ? aliases[wanted] : undefined)
  if (task) return task
  throw new AppError('invalid-field', { field: 'task', reason: `"${text}" is none of ${TASKS.join(', ')}` })
}

const SIZE = /^(\d+(?:\.\d+)?)\s*(m|b|t|mb|gb|tb|mib|gib|tib)$/
const PARAMETER_UNITS: Readonly<Record<string, number>> = { m: 1e6, b: 1e9, t: 1e12 }
const BYTE_UNITS: Readonly<Record<string, number>> = { mb: 1e6, gb: 1e9, tb: 1e12, mib: 2 ** 20, gib: 2 ** 30, tib: 2 ** 40 }

/** `8B` bounds the parameters, `10GB` the download. Models of unknown size pass neither. Throws `invalid-field`. */
function sizeTest(text: string | undefined): (model: CatalogueModel) => boolean {
  if (text === undefined) return () => true
  const [, value, unit = ''] = SIZE.exec(text.trim().toLowerCase()) ?? []
  if (value === undefined)
    throw new AppError('invalid-field', { field: 'maxSize', reason: `"${text}" is neither like 8B (parameters) nor like 10GB (download)` })
  const parameters = PARAMETER_UNITS[unit]
  if (parameters !== undefined) return (model) => nominalParameters(model) <= Number(value) * parameters
  const limit = Number(value) * (BYTE_UNITS[unit] ?? 1)
  return (model) => (downloadBytes(model) ?? Infinity) <= limit
}

/** What people call it: a "7B" model that has 7.62B is 7B. The parts of `552B + 196B` are added up. */
export function nominalParameters(model: CatalogueModel): number {
  const parts = [...model.parameters.total.replace(/\(.*?\)/g, '').matchAll(/(\d+(?:\.\d+)?)([BT])/g)]
  const total = parts.reduce((sum, [, value, unit]) => sum + Number(value) * (unit === 'T' ? 1e12 : 1e9), 0)
  const named = parseModelName(model.id).parameters
  return named !== undefined && named < total && named > total * 0.8 ? named : total
}
