/** What people do with models that are here: verify, move, count, copy out and in, share. */
import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'

import type { Logger } from '../base/logger.ts'
import type { Config } from '../config/settings.ts'
import type { CopyOptions } from '../models/copy-files.ts'
import type { SourceEnvironment } from '../models/hubs/source.ts'
import { downloadsIn } from '../models/library.ts'
import type { Library } from '../models/library.ts'
import type { DiskUsage, FoundModel, Model, Verification } from '../shared/api.ts'
import { AppError } from '../shared/errors.ts'
import type { FileReport } from '../shared/file-report.ts'
import { storeFolders } from './store-folders.ts'

export interface VerifyProgress {
  file: string
  doneBytes: number
  totalBytes: number
}

/** `bytes` is what was announced. */
export interface Upload {
  chunks: AsyncIterable<Uint8Array>
  bytes?: number
  signal?: AbortSignal
}

export interface LibraryCare {
  /** In the stores of other programs. */
  found(): Promise<FoundModel[]>
  usage(): Promise<DiskUsage>
  /** Hashes every file again, and asks the source what was published when it can be reached. */
  verify(model: Model, options?: { signal?: AbortSignal; onProgress?: (progress: VerifyProgress) => void }): Promise<Verification>
  /** Throws `disk-full`, `checksum-mismatch`, `usage`. */
  move(model: Model, folder: string, options?: CopyOptions): Promise<Model>
  /** Answers where it lies now. Throws `disk-full`. */
  exportTo(model: Model, folder: string, options?: CopyOptions): Promise<string>
  /** Throws `file-not-found`, `invalid-model-file`, `checksum-mismatch`, `disk-full`. */
  importFrom(folder: string, options: CopyOptions & { inPlace: boolean }): Promise<Model[]>
  /** Off unless `peerSharing` is set. */
  readonly isShared: boolean
  /** A file of the library by its hash. */
  sharedFile(sha256: string): Promise<{ path: string; bytes: number } | undefined>
  report(model: Model): Promise<FileReport>
  copy(model: Model, newName: string, options?: { license?: string }): Promise<Model>
  hasUpload(sha256: string): Promise<boolean>
  upload(sha256: string, content: Upload): Promise<void>
  createFrom(files: readonly { name: string; sha256: string }[], name: string, options?: { license?: string }): Promise<Model>
}

export interface CareContext {
  config: Config
  library: Library
  env: SourceEnvironment
  logger: Logger
}

export function createLibraryCare({ config, library, env, logger }: CareContext): LibraryCare {
  return {
    found: async () => (config.useStores ? (await import('../models/stores/find-stored.ts')).listStored(storeFolders(config)) : []),
    usage: () => diskUsage(library),
    verify: async (model, options = {}) =>
      (await import('../models/verify.ts')).verifyModel(model, { library, env, logger, offline: config.offline, ...options }),
    move: async (model, folder, options) => (await import('../models/move-model.ts')).moveModel(model, folder, library, options),
    exportTo: async (model, folder, options) => (await import('../models/move-model.ts')).exportModel(model, folder, library, options),
    importFrom: async (folder, options) => (await import('../models/import-folder.ts')).importFolder(folder, { library, ...options }),
    isShared: config.peerSharing,
    sharedFile: (sha256) => sharedFile(library, sha256),
    report: async (model) => (await import('../models/headers/inspect-path.ts')).inspectPath(library.fileOf(model)),
    copy: async (model, newName, options) => (await import('../models/copy-model.ts')).copyModel(model, newName, { library, ...options }),
    hasUpload: async (sha256) => (await (await import('../models/uploads.ts')).findUpload(library, sha256)) !== undefined,
    upload: async (sha256, content) => (await import('../models/uploads.ts')).saveUpload(library, sha256, content),
    createFrom: (files, name, options) => createFrom(library, files, name, options),
  }
}

async function createFrom(
  library: Library,
  files: readonly { name: string; sha256: string }[],
  name: string,
  options: { license?: string } = {},
): Promise<Model> {
  const { findUpload, forgetUploads } = await import('../models/uploads.ts')
  const { modelFromUploads } = await import('../models/copy-model.ts')
  const found: { name: string; path: string; sha256: string }[] = []
  for (const file of files) {
    const place = await findUpload(library, file.sha256)
    if (place === undefined) throw new AppError('file-not-found', { path: `sha256:${file.sha256}` })
    found.push({ ...file, path: place })
  }
  const model = await modelFromUploads(found, name, { library, ...options })
  await forgetUploads(
    library,
    files.map((file) => file.sha256),
  )
  return model
}

async function sharedFile(library: Library, sha256: string): Promise<{ path: string; bytes: number } | undefined> {
  for (const model of await library.list()) {
    const index = model.files.findIndex((file) => file.sha256 === sha256)
    const file = library.filesOf(model)[index]
    if (file !== undefined) return { path: file, bytes: model.files[index]?.bytes ?? 0 }
  }
  return undefined
}

async function diskUsage(library: Library): Promise<DiskUsage> {
  const { freeBytesAt } = await import('../models/transfer/disk-space.ts')
  const models = await library.list()
  const described = await Promise.all(
    models.map(async (model) => ({
      name: model.name,
      path: library.folderOf(model),
      bytes: model.bytes,
      linkedBytes: await linkedBytes(library, model),
    })),
  )
  const [own = ''] = await library.folders()
  const folders = await Promise.all(
    (await library.folders()).map(async (folder) => ({
      path: folder,
      freeBytes: await freeBytesAt(folder).catch(() => 0),
      modelBytes: models.reduce(
        (total, model) => total + ((model.folder ?? own) === folder && model.source !== 'file' ? model.bytes : 0),
        0,
      ),
      unfinishedBytes: await occupiedBytes(downloadsIn(folder)),
    })),
  )
  return { folders, models: described }
}

/** Bytes that another program has too, so that deleting the model here frees nothing. */
async function linkedBytes(library: Library, model: Model): Promise<number> {
  const states = await Promise.all(library.filesOf(model).map((file) => stat(file).catch(() => undefined)))
  const isElsewhere = model.source === 'file'
  return states.reduce((total, state) => total + (state && (isElsewhere || state.nlink > 1) ? state.size : 0), 0)
}

/** What is really on the disk: parts have holes. */
async function occupiedBytes(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true }).catch(() => [])
  const states = await Promise.all(names.map((name) => stat(path.join(folder, name)).catch(() => undefined)))
  return states.reduce((total, state) => total + (state?.isFile() ? Math.min(state.size, state.blocks * 512) : 0), 0)
}
