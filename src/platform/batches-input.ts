/** The input file of a batch: cut into lines, each checked before anything is run. */
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { BatchInputLineSchema, type BatchError } from '../shared/files-batches.ts'

export interface InputLine {
  /** From 1, empty lines included. */
  line: number
  /** Where it lies in the file, bytes, without its line end. */
  start: number
  bytes: number
  customId: string
}

/** As OpenAI's: requests of one batch at most. */
const MAX_REQUESTS = 50_000
/** Bytes of one line: as much as the body of a request. */
const MAX_LINE = 16 * 1024 * 1024
/** Nobody reads more. */
const MAX_ERRORS = 100
const NEWLINE = 0x0a

/** Each line or what is wrong with it; stops after 100 errors, and where a line or the file is too long. */
export async function* checkInput(file: string, endpoint: string): AsyncGenerator<InputLine | BatchError> {
  const ids = new Map<string, number>()
  let errors = 0
  for await (const { text, ...place } of readLines(file)) {
    if (text === undefined) {
      yield problem('line_too_long', `the line is longer than ${MAX_LINE} bytes`, null, place.line)
      return
    }
    if (text === null) {
      yield problem('invalid_json_line', 'the line is not UTF-8', null, place.line)
      if (++errors === MAX_ERRORS) return
      continue
    }
    if (text.trim() === '') continue
    if (ids.size === MAX_REQUESTS) {
      yield problem('too_many_requests', `a batch takes ${MAX_REQUESTS} requests at most`, null, place.line)
      return
    }
    const result = checkLine(text, place.line, endpoint, ids)
    yield typeof result === 'string' ? { ...place, customId: result } : result
    if (typeof result !== 'string' && ++errors === MAX_ERRORS) return
  }
  if (ids.size === 0 && errors === 0) yield problem('empty_file', 'the input file has no requests', 'input_file_id', null)
}

export function isProblem(item: InputLine | BatchError): item is BatchError {
  return 'code' in item
}

/** The custom_id of a good line. */
function checkLine(text: string, line: number, endpoint: string, ids: Map<string, number>): string | BatchError {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    return problem('invalid_json_line', error instanceof Error ? error.message : String(error), null, line)
  }
  const result = BatchInputLineSchema.safeParse(json)
  if (!result.success) {
    const issue = result.error.issues[0]
    return problem('invalid_request', issue?.message ?? 'invalid', issue?.path.join('.') || null, line)
  }
  const { custom_id: id, method, url, body } = result.data
  const first = ids.get(id)
  if (first !== undefined) return problem('duplicate_custom_id', `line ${first} has the same custom_id`, 'custom_id', line)
  ids.set(id, line)
  if (id.includes('\0')) return problem('invalid_request', 'a custom_id cannot hold a NUL', 'custom_id', line)
  if (method !== 'POST') return problem('invalid_method', 'expected POST', 'method', line)
  if (url !== endpoint) return problem('mismatched_endpoint', `the batch is for ${endpoint}`, 'url', line)
  if (body['background'] === true) return problem('invalid_request', 'a batch runs in the background itself', 'body.background', line)
  if (body.stream) return problem('invalid_request', 'a batch cannot stream', 'body.stream', line)
  return id
}

function problem(code: string, message: string, param: string | null, line: number | null): BatchError {
  return { code, message, param, line }
}

interface RawLine {
  line: number
  start: number
  bytes: number
  /** Null when it is not UTF-8. Absent when the line is too long; nothing comes after it. */
  text?: string | null
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** To read other bytes as replacement characters would ask something else than what was written. */
function decoded(bytes: Uint8Array): string | null {
  try {
    return utf8.decode(bytes)
  } catch {
    return null
  }
}

/** UTF-8, with or without a byte order mark; `\n` or `\r\n`. */
async function* readLines(file: string): AsyncGenerator<RawLine> {
  let held: Buffer[] = []
  let heldBytes = 0
  let start = 0
  let line = 1
  const take = (tail: Buffer): RawLine => {
    const whole = Buffer.concat([...held, tail])
    const bytes = whole.at(-1) === 0x0d ? whole.length - 1 : whole.length
    const mark = line === 1 && whole.subarray(0, 3).equals(BYTE_ORDER_MARK) ? 3 : 0
    const taken = { line, start: start + mark, bytes: bytes - mark, text: decoded(whole.subarray(mark, bytes)) }
    held = []
    heldBytes = 0
    start += whole.length + 1
    line += 1
    return taken
  }
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    let from = 0
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      yield take(chunk.subarray(from, end))
      from = end + 1
    }
    held.push(chunk.subarray(from))
    heldBytes += chunk.length - from
    if (heldBytes > MAX_LINE) return yield { line, start, bytes: heldBytes }
  }
  if (heldBytes > 0) yield take(Buffer.alloc(0))
}

const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf])

/** The body of a line that was checked before. */
export async function readLineBody(file: string, { start, bytes }: { start: number; bytes: number }): Promise<unknown> {
  const handle = await open(file, 'r')
  try {
    const buffer = Buffer.alloc(bytes)
    await handle.read(buffer, 0, bytes, start)
    return BatchInputLineSchema.parse(JSON.parse(buffer.toString('utf8'))).body
  } finally {
    await handle.close()
  }
}
