import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { AppError } from '../../shared/errors.ts'
import { classifyLibraries, findNativePackage, NATIVE_VERSION } from './native-package.ts'

const root = fs.mkdtempSync(path.join(os.tmpdir(), 'bendi-native-'))
afterAll(() => fs.rmSync(root, { recursive: true }))

const LINUX = [
  'libggml-base.so',
  'libggml.v0.5.0.so',
  'libllama.v0.5.0.so',
  'libllama-common.so',
  'llama-addon.node',
  'libggml-cpu-haswell.so',
]

function fakePackage(name: string, files: string[], version: string = NATIVE_VERSION): string {
  const folder = fs.mkdtempSync(path.join(root, 'package-'))
  const bins = path.join(folder, 'bins', name)
  fs.mkdirSync(bins, { recursive: true })
  for (const file of files) fs.writeFileSync(path.join(bins, file), '')
  fs.writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ version }))
  return folder
}

function installed(packages: Record<string, string>): (name: string) => string | undefined {
  return (name) => packages[name.replace('@node-llama-cpp/', '')]
}

function codeOf(action: () => unknown): string {
  try {
    action()
  } catch (error) {
    if (error instanceof AppError) return error.code
    throw error
  }
  return 'no error'
}

describe('findNativePackage', () => {
  test('finds the package that is really installed here, with a kernel variant', () => {
    const found = findNativePackage()
    expect(found.version).toBe(NATIVE_VERSION)
    expect(fs.existsSync(found.libraries.llama)).toBe(true)
    expect(Object.keys(found.cpuLibraries)).toEqual(found.cpuVariants)
  })

  test('takes the CUDA package only where both the package and a device are', () => {
    const cuda = fakePackage('linux-x64-cuda', [...LINUX, 'libggml-cuda.so'])
    const cpu = fakePackage('linux-x64', LINUX)
    const find = (resolve: (name: string) => string | undefined, device: boolean): string =>
      findNativePackage({ platform: 'linux', arch: 'x64', resolve, hasDevice: (kind) => device && kind === 'cuda' }).name
    expect(find(installed({ 'linux-x64-cuda': cuda, 'linux-x64': cpu }), true)).toBe('linux-x64-cuda')
    expect(find(installed({ 'linux-x64-cuda': cuda, 'linux-x64': cpu }), false)).toBe('linux-x64')
    expect(find(installed({ 'linux-x64': cpu }), true)).toBe('linux-x64')
  })

  test('refuses a platform without a build, a missing package and another version, each with its own reason', () => {
    expect(codeOf(() => findNativePackage({ platform: 'freebsd', arch: 'x64' }))).toBe('unsupported-platform')
    expect(codeOf(() => findNativePackage({ platform: 'win32', arch: 'x64', resolve: () => undefined }))).toBe('engine-mismatch')
    const old = fakePackage('linux-arm64', LINUX, '3.22.0')
    const find = (): unknown => findNativePackage({ platform: 'linux', arch: 'arm64', resolve: () => old })
    expect(find).toThrow(/3\.22\.0/)
    expect(codeOf(find)).toBe('engine-mismatch')
  })

  test('refuses a package whose libllama is missing', () => {
    const broken = fakePackage('linux-x64', ['libggml-base.so', 'libggml.v0.5.0.so', 'libllama-common.so'])
    expect(() => findNativePackage({ platform: 'linux', arch: 'x64', resolve: () => broken, hasDevice: () => false })).toThrow(
      /library llama/,
    )
  })
})

describe('classifyLibraries', () => {
  const bare = (packageName: string, files: string[]): unknown => {
    const { libraries, cpuVariants, backends } = classifyLibraries(packageName, '', files)
    return { ...libraries, cpuVariants, backends: backends.map((backend) => backend.name) }
  }

  test('reads the names of Linux, with the accelerator in the middle', () => {
    const files = ['libggml-base.so', 'libggml-cpu-zen4.so', 'libggml-vulkan.so', 'libggml.vulkan.v0.5.0.so', 'libllama.vulkan.v0.5.0.so']
    expect(bare('linux-x64-vulkan', files)).toEqual({
      base: 'libggml-base.so',
      ggml: 'libggml.vulkan.v0.5.0.so',
      llama: 'libllama.vulkan.v0.5.0.so',
      cpuVariants: ['zen4'],
      backends: ['vulkan'],
    })
  })

  test('reads variants that hold dots, as on ARM', () => {
    const files = [...LINUX.filter((file) => !file.includes('cpu')), 'libggml-cpu-armv8.2_1.so', 'libggml-cpu-armv9.2_2.so']
    expect(bare('linux-arm64', files)).toMatchObject({ cpuVariants: ['armv8.2_1', 'armv9.2_2'] })
  })

  test('reads the names of macOS and Windows', () => {
    const mac = [
      'libggml-base.dylib',
      'libggml.v0.5.0.dylib',
      'libllama.v0.5.0.dylib',
      'libggml-metal.so',
      'libggml-cpu.so',
      'libggml-blas.so',
    ]
    expect(bare('mac-arm64-metal', mac)).toMatchObject({
      llama: 'libllama.v0.5.0.dylib',
      cpuVariants: [],
      backends: ['blas', 'cpu', 'metal'],
    })
    const windows = ['ggml-base.dll', 'ggml.dll', 'llama.dll', 'llama-common.dll', 'ggml-cpu-haswell.dll', 'ggml-cuda.dll']
    expect(bare('win-x64-cuda', windows)).toMatchObject({ ggml: 'ggml.dll', cpuVariants: ['haswell'], backends: ['cuda'] })
  })
})
