import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { safetensorsFile } from '../../../test/fixtures/large-models.ts'
import { recordedFile } from '../../../test/fixtures/recorded-formats.ts'
import { tinyModelBytes } from '../../../test/fakes/gguf-header.ts'
import { memorySource } from '../byte-source.ts'
import { inspectPath } from './inspect-path.ts'
import { parseOnnx } from './onnx.ts'
import { readPickles } from './pickle.ts'
import { judgeName } from './pickle-names.ts'
import { parseSafetensors } from './safetensors.ts'
import { completeShards, parseSafetensorsIndex } from './safetensors-index.ts'
import { readTorchPickle, readTorchZip } from './torch-file.ts'

function safetensors(json: string, dataBytes = 0): Promise<unknown> {
  const text = Buffer.from(json)
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(text.length))
  return parseSafetensors(memorySource(Buffer.concat([length, text, Buffer.alloc(dataBytes)])), 'f')
}

describe('a safetensors header', () => {
  it.each([
    ['{"a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},"b":{"dtype":"F16","shape":[2],"data_offsets":[2,6]}}', 6, /overlaps/],
    ['{"a":{"dtype":"F16","shape":[2],"data_offsets":[2,6]}}', 6, /hole/],
    ['{"a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}}', 6, /belong to no tensor/],
    ['{"a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}}', 2, /truncated/],
    ['{"a":{"dtype":"F16","shape":[3],"data_offsets":[0,4]}}', 4, /takes 6 bytes/],
    ['{"a":{"dtype":"F17","shape":[2],"data_offsets":[0,4]}}', 4, /unknown type/],
    ['{"a":{"dtype":"F16","shape":[9007199254740991,9007199254740991],"data_offsets":[0,4]}}', 4, /impossible shape/],
    ['{"a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},"a":{"dtype":"F16","shape":[0],"data_offsets":[4,4]}}', 4, /occurs twice/],
    ['{"a":{"dtype":"F16","shape":[2],"data_offsets":[0,4],"more":1}}', 4, /unknown or repeated entry/],
    ['{"a":{"dtype":"F16","shape":[-2],"data_offsets":[0,4]}}', 4, /length belongs/],
    ['{"__metadata__":{"a":1}}', 0, /expected/],
    ['{"a":{}}', 0, /not described/],
    ['[]', 0, /not JSON/],
    ['{} x', 0, /follows/],
    ['['.repeat(1_000_000), 0, /not JSON/],
    [`{"a":${'['.repeat(1_000_000)}`, 0, /expected/],
  ])('that breaks a rule is refused and the rule is named (%#)', async (json, dataBytes, reason) => {
    await expect(safetensors(json, dataBytes)).rejects.toMatchObject({
      code: 'damaged-file',
      data: { reason: expect.stringMatching(reason) },
    })
  })

  it.each([0xffff_ffff_ffff_ffffn, 100_000_001n, 1n])('that claims %d bytes is refused without reading them', async (claimed) => {
    const data = Buffer.alloc(64)
    data.writeBigUInt64LE(claimed)
    await expect(parseSafetensors(memorySource(data), 'f')).rejects.toMatchObject({ code: 'damaged-file' })
  })

  it('of any tensors is read as it was written', async () => {
    const tensor = fc.record({
      name: fc.string({ minLength: 1, maxLength: 40 }).filter((name) => name !== '__metadata__'),
      type: fc.constantFrom(...(['F16', 'BF16', 'F32', 'I8', 'F8_E4M3', 'F8_E8M0'] as const)),
      shape: fc.array(fc.nat({ max: 5 }), { maxLength: 4 }),
    })
    const size = { F16: 2, BF16: 2, F32: 4, I8: 1, F8_E4M3: 1, F8_E8M0: 1 }
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(tensor, { selector: ({ name }) => name, maxLength: 8 }), async (rows) => {
        const wanted = rows.map((row) => ({ ...row, bytes: row.shape.reduce((total, length) => total * length, size[row.type]) }))
        const { header, bytes } = safetensorsFile(wanted)
        const read = await parseSafetensors({ bytes, read: async (offset, length) => header.subarray(offset, offset + length) }, 'f')
        // Names that are whole numbers come first in a JavaScript object.
        const byName = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : 1)
        expect(read.tensors.toSorted(byName)).toEqual(wanted.map((row) => ({ ...row, file: 'f' })).toSorted(byName))
      }),
      { numRuns: 200 },
    )
  })
})

it('an index names files of its own folder only, and complete shards need none', () => {
  const index = (file: string): Buffer => Buffer.from(JSON.stringify({ weight_map: { a: file } }))
  expect(parseSafetensorsIndex(index('sub/a.safetensors'), 'i').files).toEqual(['sub/a.safetensors'])
  for (const file of ['../a', '/etc/passwd', 'a/../../b', 'C:\\x', ''])
    expect(() => parseSafetensorsIndex(index(file), 'i')).toThrow(expect.objectContaining({ code: 'damaged-file' }))
  const shards = ['m-00002-of-00002.safetensors', 'm-00001-of-00002.safetensors']
  expect(completeShards(shards)).toEqual(shards.toSorted())
  expect(completeShards(shards.slice(1))).toBeUndefined()
  expect(completeShards([...shards, 'n-00001-of-00002.safetensors'])).toBeUndefined()
})

describe('a pickle', () => {
  it.each([0, 1, 2, 3, 4, 5] as const)('of protocol %d with a program inside is named, not run', async (protocol) => {
    const file = await readTorchPickle(memorySource(recordedFile(`pickle-program-${protocol}`)), 'f')
    expect(file.suspicious).toEqual([{ name: 'posix.system', use: 'call', operation: 'REDUCE', judgement: 'dangerous' }])
  })

  it('hides no name behind texts that are put together late', () => {
    // STACK_GLOBAL of two texts that came out of the memo.
    const data = Buffer.concat([
      Buffer.from([0x80, 4]),
      short('os'),
      MEMOIZE,
      short('system'),
      MEMOIZE,
      Buffer.from('h\x00h\x01'),
      Buffer.from([0x93]),
      short('true'),
      Buffer.from([0x85]),
      Buffer.from('R.'),
    ])
    expect(readPickles(data).names).toEqual([
      { name: 'os.system', use: 'import', operation: 'STACK_GLOBAL' },
      { name: 'os.system', use: 'call', operation: 'REDUCE' },
    ])
  })

  it('that calls what a call has returned is suspicious too', async () => {
    const getattr = Buffer.from('cbuiltins\ngetattr\n(cos\nO\nVsystem\ntR(Vtrue\ntR.')
    const { suspicious } = await readTorchPickle(memorySource(Buffer.concat([Buffer.from([0x80, 2]), getattr])), 'f')
    expect(suspicious.map(({ name }) => name)).toContain('builtins.getattr(…)')
    expect(suspicious.every(({ judgement }) => judgement === 'dangerous')).toBe(true)
  })

  it.each([
    ['a stack without end', Buffer.alloc(600_000, 'N')],
    ['marks without end', Buffer.alloc(600_000, '(')],
    ['objects without end', Buffer.alloc(600_000, ']')],
    ['a length of 2^63', Buffer.from([0x80, 4, 0x8e, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f])],
    ['a memo that it never filled', Buffer.from('h\x07.')],
    ['more taken than given', Buffer.from('0.')],
    ['an opcode that is none', Buffer.from([0x80, 2, 0xff])],
    ['nothing', Buffer.alloc(0)],
    ['no end', Buffer.from([0x80, 2, 0x4e])],
  ])('with %s is refused', (_what, data) => {
    expect(() => readPickles(data)).toThrow(/./)
  })

  it('that describes a tree of 2^60 leaves by repeating itself is walked once', async () => {
    const doubling = Buffer.concat([
      Buffer.from([0x80, 2]),
      Buffer.from(']'),
      ...Array.from({ length: 60 }, () => Buffer.concat([Buffer.from('2'), Buffer.from([0x86])])),
      Buffer.from('.'),
    ])
    expect((await readTorchPickle(memorySource(doubling), 'f')).tensors).toEqual([])
  })
})

const MEMOIZE = Buffer.from([0x94])

function short(text: string): Buffer {
  return Buffer.concat([Buffer.from([0x8c, text.length]), Buffer.from(text)])
}

it('names that weights need are harmless, names that could run programs are not', () => {
  for (const name of [
    'torch._utils._rebuild_tensor_v2',
    'torch.BFloat16Storage',
    'collections.OrderedDict',
    'numpy.core.multiarray._reconstruct',
    'torch.float8_e4m3fn',
  ])
    expect(judgeName(name)).toBe('harmless')
  for (const name of [
    'os.system',
    'posix.system',
    'nt.system',
    'subprocess.Popen',
    'builtins.exec',
    '__builtin__.eval',
    'torch.load',
    'torch.hub.load',
    'runpy._run_code',
    'pip.main',
    'operator.attrgetter',
  ])
    expect(judgeName(name)).toBe('dangerous')
  expect(judgeName('mylibrary.Model')).toBe('unknown')
  // Only whole names count.
  expect(judgeName('torch._utils._rebuild_tensor_v2.evil')).not.toBe('harmless')
  expect(judgeName('evil.torch.Size')).not.toBe('harmless')
})

describe('weights of PyTorch', () => {
  const tensors = [
    { name: 'state_dict.model.embed.weight', shape: [3, 4], type: 'F16', bytes: 24 },
    { name: 'state_dict.model.norm.weight', shape: [6], type: 'BF16', bytes: 12 },
    { name: 'state_dict.tied', shape: [12], type: 'F16', bytes: 24 },
  ]

  it('in a zip are listed with their storages', async () => {
    const file = await readTorchZip(memorySource(recordedFile('torch-zip')), 'f')
    expect(file).toMatchObject({ layout: 'zip', hasCode: false, suspicious: [], problems: [], tensors })
  })

  it('of before torch 1.6 are listed as well', async () => {
    expect(await readTorchPickle(memorySource(recordedFile('torch-legacy')), 'f')).toMatchObject({
      layout: 'legacy',
      suspicious: [],
      tensors,
    })
  })

  it('whose storage is missing are called damaged', async () => {
    const zip = Buffer.from(recordedFile('torch-zip').toString('latin1').replaceAll('archive/data/1', 'archive/data/7'), 'latin1')
    expect((await readTorchZip(memorySource(zip), 'f')).problems).toEqual(['the weights of state_dict.model.norm.weight are missing'])
  })
})

it('an ONNX model tells its inputs, operators, quantisation and outside files', async () => {
  expect(await parseOnnx(memorySource(recordedFile('onnx-quantised')), 'f')).toMatchObject({
    producer: 'test-maker',
    operatorSets: { '': 21, 'com.microsoft': 1 },
    inputs: [{ name: 'x', type: 'F32', shape: ['batch', 8] }],
    outputs: [{ name: 'y', type: 'F16', shape: ['batch', 4] }],
    operators: { MatMul: 1, QLinearMatMul: 1, MatMulNBits: 1 },
    quantizedBy: ['QLinearMatMul', 'MatMulNBits'],
    initializers: [
      { name: 'w', shape: [8, 4], type: 'F32', bytes: 128 },
      { name: 'q', type: 'I8', bytes: 8 },
    ],
    externalFiles: [],
  })
  expect(await parseOnnx(memorySource(recordedFile('onnx-external')), 'f')).toMatchObject({ externalFiles: ['ext.data'] })
})

describe('a path', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'bendi-inspect-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  const ggjt = Buffer.concat([Buffer.from('tjgg'), Buffer.from(new Int32Array([3, 32_000, 4096, 256, 32, 32, 128, 2]).buffer)])
  const shard = safetensorsFile([{ name: 'a', type: 'F32', shape: [1], bytes: 4 }])
  it.each([
    ['gguf', tinyModelBytes(), { format: 'gguf', architecture: 'llama', parameters: 64 * 8 + 64 * 64 }],
    ['safetensors', Buffer.concat([shard.header, Buffer.alloc(4)]), { format: 'safetensors', quantization: 'F32', parameters: 1 }],
    ['zip of torch', recordedFile('torch-zip'), { format: 'pytorch', formatName: 'PyTorch (zip)', parameters: 18 }],
    ['legacy torch file', recordedFile('torch-legacy'), { format: 'pytorch', parameters: 18 }],
    ['pickle', recordedFile('pickle-program-4'), { engines: [], findings: [{ level: 'danger' }, { level: 'warning' }] }],
    ['pickle of protocol 0', recordedFile('pickle-program-0'), { findings: [{ level: 'danger' }, { level: 'warning' }] }],
    ['ONNX model', recordedFile('onnx-quantised'), { format: 'onnx', engines: [{ engine: 'ONNX Runtime' }] }],
    ['GGJT file', ggjt, { format: 'ggml', formatName: 'GGJT 3', quantization: 'Q4_0', shape: { num_hidden_layers: 32 } }],
  ])('to a %s is recognised by its content, whatever its name', async (_kind, data, wanted) => {
    const file = path.join(folder, 'model.dat')
    await writeFile(file, data)
    expect(await inspectPath(file)).toMatchObject(wanted)
  })

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['a web page', Buffer.from('<!doctype html><html>')],
    ['a git-lfs pointer', Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n')],
    ['noise', Buffer.from([0x46, 0xdd, 0x87, 0xb5, 1, 2, 3])],
    ['a text that begins like an old pickle', Buffer.from('(not a pickle)')],
  ])('to %s is refused with what it is', async (_what, data) => {
    const file = path.join(folder, 'noise.dat')
    await writeFile(file, data)
    await expect(inspectPath(file)).rejects.toMatchObject({ code: 'unknown-format' })
  })
})
