/**
 * Finds the prebuilt libllama: the `@node-llama-cpp/<platform>` package that fits this machine.
 * Nothing native is loaded here, only file names are read.
 */
import fs from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { AppError } from '../../shared/errors.ts'

/** The only version whose C structs `binding-structs.ts` describes. */
export const NATIVE_VERSION = '3.22.1'

export type Accelerator = 'cuda' | 'vulkan' | 'metal'

export interface NativePackage {
  /** e.g. `linux-x64-cuda`. */
  name: string
  version: string
  /** Absolute folder of the libraries. */
  binsDir: string
  /** Absolute paths; to be loaded in this order, each with its symbols made global. */
  libraries: { base: string; ggml: string; llama: string }
  /** Names of the CPU kernel variants, e.g. `haswell`; empty where the package has one kernel built in. */
  cpuVariants: string[]
  /** Absolute path of each variant's library. */
  cpuLibraries: Readonly<Record<string, string>>
  /** Libraries of other devices: cuda, vulkan, metal, blas … */
  backends: { name: string; file: string }[]
}

export interface NativePackageOptions {
  platform?: NodeJS.Platform
  arch?: string
  /** Folder of an installed package, or undefined. */
  resolve?: (packageName: string) => string | undefined
  hasDevice?: (accelerator: Accelerator, platform: NodeJS.Platform) => boolean
}

/** Packages by platform and architecture, best first; those of an accelerator count only where its device is. */
const CANDIDATES: Readonly<Record<string, readonly { name: string; accelerator?: Accelerator }[]>> = {
  'linux-x64': [
    { name: 'linux-x64-cuda', accelerator: 'cuda' },
    { name: 'linux-x64-vulkan', accelerator: 'vulkan' },
    { name: 'linux-x64' },
  ],
  'linux-arm64': [{ name: 'linux-arm64' }],
  'darwin-arm64': [{ name: 'mac-arm64-metal', accelerator: 'metal' }],
  'darwin-x64': [{ name: 'mac-x64' }],
  'win32-x64': [{ name: 'win-x64-cuda', accelerator: 'cuda' }, { name: 'win-x64-vulkan', accelerator: 'vulkan' }, { name: 'win-x64' }],
  'win32-arm64': [{ name: 'win-arm64' }],
}

const LIBRARY = /^(?:lib)?(?<stem>.+?)\.(?:so|dylib|dll)(?:\.[\d.]+)?$/

/**
 * The best installed package for this machine.
 * Throws `unsupported-platform` when none exists for it, `engine-mismatch` when none is installed or it is not the pinned version.
 */
export function findNativePackage(options: NativePackageOptions = {}): NativePackage {
  const { platform = process.platform, arch = process.arch, resolve = resolveInstalled, hasDevice = deviceExists } = options
  const candidates = CANDIDATES[`${platform}-${arch}`]
  if (!candidates) throw new AppError('unsupported-platform', { platform: `${platform}-${arch}` })
  for (const { name, accelerator } of candidates) {
    const folder = (!accelerator || hasDevice(accelerator, platform)) && resolve(`@node-llama-cpp/${name}`)
    if (folder) return readNativePackage(name, folder)
  }
  const wanted = candidates.at(-1)?.name ?? platform
  throw new AppError('engine-mismatch', { reason: `the package @node-llama-cpp/${wanted} is not installed` })
}

function readNativePackage(name: string, folder: string): NativePackage {
  const version = readVersion(folder)
  if (version !== NATIVE_VERSION) {
    throw new AppError('engine-mismatch', { reason: `@node-llama-cpp/${name} is ${version}, this bendi needs exactly ${NATIVE_VERSION}` })
  }
  const binsDir = findBinsDir(folder, name)
  return { name, version, binsDir, ...classifyLibraries(name, binsDir, fs.readdirSync(binsDir)) }
}

/** Sorts the library files of a package by what they are. Versions, prefixes and extensions differ by operating system. */
export function classifyLibraries(
  packageName: string,
  binsDir: string,
  files: readonly string[],
): Pick<NativePackage, 'libraries' | 'cpuVariants' | 'cpuLibraries' | 'backends'> {
  const found = new Map<string, string>()
  for (const file of files.toSorted()) {
    const name = libraryName(file)
    if (name) found.set(name, path.join(binsDir, file))
  }
  const need = (name: string): string => {
    const file = found.get(name)
    if (!file) throw new AppError('engine-mismatch', { reason: `@node-llama-cpp/${packageName} has no library ${name}` })
    return file
  }
  const named = [...found].filter(([name]) => name.startsWith('ggml-') && name !== 'ggml-base')
  const cpu = named.filter(([name]) => name.startsWith('ggml-cpu-'))
  return {
    libraries: { base: need('ggml-base'), ggml: need('ggml'), llama: need('llama') },
    cpuVariants: cpu.map(([name]) => name.slice('ggml-cpu-'.length)),
    cpuLibraries: Object.fromEntries(cpu.map(([name, file]) => [name.slice('ggml-cpu-'.length), file])),
    // A single `ggml-cpu` without variants is loaded like any other backend.
    backends: named.filter(([name]) => !name.startsWith('ggml-cpu-')).map(([name, file]) => ({ name: name.slice('ggml-'.length), file })),
  }
}

/** `libggml.vulkan.v0.5.0.so` → `ggml`; `libggml-cpu-armv8.2_1.so` → `ggml-cpu-armv8.2_1`: in a variant's name a dot is part of it. */
function libraryName(file: string): string | undefined {
  const stem = LIBRARY.exec(file)?.groups?.['stem']
  return stem?.startsWith('ggml-cpu-') ? stem : stem?.split('.')[0]
}

function findBinsDir(folder: string, name: string): string {
  const bins = path.join(folder, 'bins')
  const exact = path.join(bins, name)
  if (fs.existsSync(exact)) return exact
  const only = fs.existsSync(bins) ? fs.readdirSync(bins) : []
  if (only.length === 1 && only[0]) return path.join(bins, only[0])
  throw new AppError('engine-mismatch', { reason: `@node-llama-cpp/${name} has no folder bins/${name}` })
}

function readVersion(folder: string): string {
  try {
    const manifest: unknown = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'))
    const version = typeof manifest === 'object' && manifest && 'version' in manifest ? manifest.version : undefined
    return typeof version === 'string' ? version : 'of an unknown version'
  } catch {
    return 'unreadable'
  }
}

/** The package's folder as Node resolves it from here (its main file is `dist/index.js`). */
function resolveInstalled(packageName: string): string | undefined {
  try {
    return path.dirname(path.dirname(createRequire(import.meta.url).resolve(packageName)))
  } catch {
    return undefined
  }
}

/** Cheap signs of a device, without loading anything; the backend itself has the last word when it is loaded. */
function deviceExists(accelerator: Accelerator, platform: NodeJS.Platform): boolean {
  if (accelerator === 'metal') return platform === 'darwin'
  if (platform === 'win32') {
    const library = accelerator === 'cuda' ? 'nvcuda.dll' : 'vulkan-1.dll'
    return fs.existsSync(path.join('C:\\Windows\\System32', library))
  }
  if (accelerator === 'cuda') return fs.existsSync('/dev/nvidiactl') || fs.existsSync('/dev/dxg')
  return listFolder('/dev/dri').some((entry) => entry.startsWith('renderD'))
}

function listFolder(folder: string): string[] {
  try {
    return fs.readdirSync(folder)
  } catch {
    return []
  }
}
