/**
 * PyTorch's files without Python: `.pt`/`.bin` as a zip with a pickle inside, or (before torch 1.6) pickles with the weights behind.
 * Nothing is unpickled; what would be imported or called is listed. Source: torch/serialization.py `_save`, `_legacy_save`.
 */
import type { ByteSource } from '../byte-source.ts'
import { printable } from '../printable.ts'
import { listZip, readZipMember, ZipError } from '../zip.ts'
import type { ZipMember } from '../zip.ts'
import { damageOf } from './damaged.ts'
import { readPickles } from './pickle.ts'
import { suspiciousNames } from './pickle-names.ts'
import { PickleError } from './pickle-value.ts'
import type { PickledName } from './pickle-value.ts'
import { findTensors } from './torch-tensors.ts'
import type { TorchTensor } from './torch-tensors.ts'

export interface TorchFile {
  layout: 'zip' | 'legacy' | 'pickle'
  /** A program lies in it beside the weights (TorchScript). */
  hasCode: boolean
  tensors: readonly TorchTensor[]
  /** What would be run, worst first. */
  suspicious: ReturnType<typeof suspiciousNames>
  /** All names that Python would import. */
  names: readonly PickledName[]
  /** Things that do not fit together, e.g. a storage that is too short. */
  problems: readonly string[]
  bytes: number
}

/** A list of a hundred thousand tensors takes about 20 MB. */
const MOST_PICKLE_BYTES = 64_000_000
/** torch's mark of its legacy files. */
const LEGACY_MAGIC = 0x1950a86a20f9469cfc6cn
const MOST_MEMBERS = 300_000

/** Throws `damaged-file`. */
export async function readTorchZip(source: ByteSource, path: string): Promise<TorchFile> {
  const fail = damageOf(path, 'PyTorch')
  try {
    const members = await listZip(source, MOST_MEMBERS)
    const pickle = members.find((member) => /(^|\/)data\.pkl$/.test(member.name))
    if (pickle === undefined) throw fail('it is a zip archive without data.pkl')
    const { values, names } = readPickles(await readMember(source, pickle, fail))
    const tensors = findTensors(values[0] ?? null).map((tensor) => ({ ...tensor, file: path }))
    return {
      layout: 'zip',
      hasCode: members.some((member) => /(^|\/)(code\/.*\.py|constants\.pkl)$/.test(member.name)),
      tensors,
      names,
      suspicious: suspiciousNames(names),
      problems: storageProblems(tensors, members, pickle),
      bytes: source.bytes,
    }
  } catch (error) {
    throw explained(error, fail)
  }
}

/** Throws `damaged-file`. */
export async function readTorchPickle(source: ByteSource, path: string): Promise<TorchFile> {
  const fail = damageOf(path, 'pickle')
  try {
    const data = await source.read(0, Math.min(source.bytes, MOST_PICKLE_BYTES))
    const first = readPickles(data)
    const isLegacy = first.values[0] === LEGACY_MAGIC
    // Mark, protocol, about the system, the contents.
    const { values, names } = isLegacy ? readPickles(data, 4) : first
    const tensors = findTensors(values.at(-1) ?? null).map((tensor) => ({ ...tensor, file: path }))
    return {
      layout: isLegacy ? 'legacy' : 'pickle',
      hasCode: false,
      tensors,
      names,
      suspicious: suspiciousNames(names),
      problems: [],
      bytes: source.bytes,
    }
  } catch (error) {
    throw explained(error, fail)
  }
}

/** Whether these bytes begin a pickle of protocol 2 to 5. */
export function looksLikePickle(head: Uint8Array): boolean {
  return head[0] === 0x80 && (head[1] ?? 0) >= 2 && (head[1] ?? 0) <= 5
}

/** Whether they may begin one of protocol 0 or 1: a mark, an import, an empty list or dict, a text, a number. */
export function looksLikeOldPickle(head: Uint8Array): boolean {
  return head[0] !== undefined && '(c]})IFLSVXUTKMNG'.includes(String.fromCodePoint(head[0]))
}

async function readMember(source: ByteSource, member: ZipMember, fail: (reason: string) => Error): Promise<Buffer> {
  if (member.bytes > MOST_PICKLE_BYTES) throw fail(`its pickle has ${member.bytes} bytes`)
  const chunks: Buffer[] = []
  for await (const chunk of readZipMember(source, member)) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** A storage lies at `…/data/KEY` beside the pickle. */
function storageProblems(tensors: readonly TorchTensor[], members: readonly ZipMember[], pickle: ZipMember): string[] {
  const prefix = pickle.name.slice(0, -'data.pkl'.length)
  const sizes = new Map(members.map((member) => [member.name, member.bytes]))
  const problems = tensors.flatMap(({ name, storage, bytes }) => {
    const there = sizes.get(`${prefix}data/${storage}`)
    if (there === undefined) return [`the weights of ${printable(name)} are missing`]
    return there < bytes ? [`${printable(name)} needs ${bytes} bytes, and ${there} are there`] : []
  })
  return problems.slice(0, 20)
}

function explained(error: unknown, fail: (reason: string) => Error): unknown {
  if (error instanceof PickleError) return fail(`its pickle is damaged: ${error.message}`)
  return error instanceof ZipError ? fail(error.message) : error
}
