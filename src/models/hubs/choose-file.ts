/** Which GGUF of a repository: by quantisation, split sets whole. Pure. */
import { AppError } from '../../shared/errors.ts'
import { QUANTIZATION_NAMES } from '../ggml-types.ts'
import { selectFiles } from '../glob.ts'
import type { Selection } from './source.ts'

/** Without a wish: what most people want first (good quality at 4 bits), then its neighbours. */
export const DEFAULT_QUANTIZATIONS: readonly string[] = [
  'Q4_K_M',
  'Q4_K_S',
  'MXFP4',
  'Q5_K_M',
  'Q5_K_S',
  'Q4_0',
  'Q4_1',
  'IQ4_XS',
  'IQ4_NL',
  'Q6_K',
  'Q8_0',
  'Q3_K_M',
  'BF16',
  'F16',
]

export interface GgufChoice<T> {
  quantization?: string
  /** In order; several when the model is split. */
  files: T[]
}

const SPLIT = /-(\d{5})-of-(\d{5})\.gguf$/i
/** Vision parts, importance matrices, draft heads: not models by themselves. */
const NOT_MODELS = /(^|[/._-])(mmproj|imatrix|mtp-draft)([._-]|$)/i

/**
 * Chooses among the files of a repository. Throws `invalid-reference` (code of the reference's owner) saying what there is.
 * `wish.file` wins over `wish.quantization`.
 */
export function chooseGguf<T extends { path: string; bytes?: number | undefined }>(
  all: readonly T[],
  reference: string,
  wish: { quantization?: string; file?: string },
  { include = [], exclude = [], fits }: Selection = {},
): GgufChoice<T> {
  const files = selectFiles(all, include, exclude)
  if (files.length === 0 && all.length > 0) throw refused(reference, '--include and --exclude leave no file of it')
  const models = files.filter(isModel)
  if (wish.file !== undefined) return chooseByPath(files, reference, wish.file)
  // Not a GGUF, but asked for by name: the files as they are, for other engines.
  if (models.length === 0 && include.length > 0) return { files }
  if (models.length === 0) throw refused(reference, 'the repository has no GGUF files; look for one whose name ends in -GGUF')
  const named = groupSplits(models).map((set) => ({ set, quantization: quantizationIn(set[0]?.path ?? '') }))
  if (wish.quantization !== undefined) {
    const wanted = wish.quantization.toUpperCase()
    const match = named.find(({ quantization }) => quantization === wanted) ?? named.find(({ set }) => hasPart(set[0]?.path ?? '', wanted))
    if (match) return { quantization: wanted, files: whole(match.set, reference) }
    const there = [...new Set(named.map(({ quantization }) => quantization).filter((name) => name !== undefined))].join(', ')
    throw refused(
      reference,
      `there is no ${wanted}; the repository has ${
        there ||
        models
          .map((file) => file.path)
          .join(', ')
          .slice(0, 300)
      }`,
    )
  }
  const usual = DEFAULT_QUANTIZATIONS.flatMap((quantization) => named.find((item) => item.quantization === quantization) ?? [])
  const fitting = (set: readonly T[]): boolean => fits === undefined || fits(bytesOf(set))
  // Rather a usual one; then the best that fits; when nothing does, the usual one, and the planner will say what is wrong.
  const largest = named.toSorted((a, b) => bytesOf(b.set) - bytesOf(a.set)).find(({ set }) => bytesOf(set) > 0 && fitting(set))
  const first = usual.find(({ set }) => fitting(set)) ?? (fits && usual.length > 0 ? largest : undefined) ?? usual[0] ?? named[0]
  return { ...(first?.quantization === undefined ? {} : { quantization: first.quantization }), files: whole(first?.set ?? [], reference) }
}

export interface GgufOption<T> {
  /** Absent where the name does not tell. */
  quantization?: string
  /** In order, and whole. */
  files: T[]
  bytes: number
}

/** What can be chosen among: each quantisation once, sets with a part missing and files of unknown length left out. */
export function ggufOptions<T extends { path: string; bytes?: number | undefined }>(
  all: readonly T[],
  { include = [], exclude = [] }: Selection = {},
): GgufOption<T>[] {
  const sets = groupSplits(selectFiles(all, include, exclude).filter(isModel)).filter((set) => set.length === expectedParts(set))
  const options = sets.map((files): GgufOption<T> => {
    const quantization = quantizationIn(files[0]?.path ?? '')
    return { ...(quantization === undefined ? {} : { quantization }), files, bytes: bytesOf(files) }
  })
  const isFirst = ({ quantization }: GgufOption<T>, index: number): boolean =>
    quantization === undefined || options.findIndex((other) => other.quantization === quantization) === index
  return options.filter((option, index) => option.bytes > 0 && isFirst(option, index))
}

function isModel({ path }: { path: string }): boolean {
  return /\.gguf$/i.test(path) && !NOT_MODELS.test(path)
}

function bytesOf(set: readonly { bytes?: number | undefined }[]): number {
  return set.reduce((total, file) => total + (file.bytes ?? 0), 0)
}

/** The quantisation in a file's name, e.g. `x-UD-Q4_K_XL-00001-of-00002.gguf` → `UD-Q4_K_XL`. */
export function quantizationIn(file: string): string | undefined {
  const name = (file.split('/').at(-1) ?? '')
    .replace(SPLIT, '')
    .replace(/\.gguf$/i, '')
    .toUpperCase()
  const dynamic = /(?:^|[-._])(UD-I?Q\d\w*)$/.exec(name)?.[1]
  if (dynamic !== undefined) return dynamic
  const found = QUANTIZATION_NAMES.find((quantization) => hasPart(name, quantization))
  return found ?? /(?:^|[-._])(I?Q\d_\w+)$/.exec(name)?.[1]
}

/** `wanted` as a whole part of the name: Q4_K is not in Q4_K_M. */
function hasPart(path: string, wanted: string): boolean {
  const escaped = wanted.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  return new RegExp(`(^|[-./])${escaped}($|[-./])`, 'i').test(path)
}

function chooseByPath<T extends { path: string }>(files: readonly T[], reference: string, wanted: string): GgufChoice<T> {
  const set = groupSplits(files).find((group) => group.some((file) => file.path === wanted))
  if (!set) throw refused(reference, `the repository has no file ${wanted}`)
  const quantization = quantizationIn(wanted)
  return { ...(quantization === undefined ? {} : { quantization }), files: whole(set, reference) }
}

/** Files that belong together, in the order of their numbers; the rest alone. */
function groupSplits<T extends { path: string }>(files: readonly T[]): T[][] {
  const groups = new Map<string, T[]>()
  for (const file of files) {
    const key = file.path.replace(SPLIT, (_, _number, count: string) => `-of-${count}`)
    groups.set(key, [...(groups.get(key) ?? []), file])
  }
  return [...groups.values()].map((group) => group.toSorted((a, b) => (a.path < b.path ? -1 : 1)))
}

function whole<T extends { path: string }>(set: T[], reference: string): T[] {
  const expected = expectedParts(set)
  if (set.length !== expected)
    throw refused(reference, `the repository has ${set.length} of ${expected} parts of ${set[0]?.path ?? 'the model'}`)
  return set
}

function expectedParts(set: readonly { path: string }[]): number {
  return Number(SPLIT.exec(set[0]?.path ?? '')?.[2] ?? 1)
}

function refused(reference: string, reason: string): AppError {
  return new AppError('invalid-reference', { reference, reason })
}
