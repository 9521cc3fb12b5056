/** A loaded model: its shape, its vocabulary, and text ↔ tokens. Every pointer is checked before it is used. */
import { AppError } from '../../shared/errors.ts'
import type { Binding, ModelPointer, VocabularyPointer } from './binding-types.ts'
import { prefersReading } from './huge-pages.ts'

export interface ModelShape {
  architecture: string
  name?: string
  vocabularySize: number
  /** Tokens of the window that the model was trained for. */
  trainedContext: number
  embeddingLength: number
  layers: number
  parameters: number
  /** Bytes of all tensors. */
  weightBytes: number
  hasEncoder: boolean
  hasDecoder: boolean
  /** Recurrent or hybrid: a part of a sequence cannot be removed from its memory. */
  isRecurrent: boolean
  /** Tokens that a sliding-window layer sees; 0 = none. */
  slidingWindow: number
  beginToken?: number
  endToken?: number
  endOfTurnToken?: number
  /** The vocabulary wants a BOS before plain text. */
  addsBegin: boolean
  chatTemplate?: string
  /** How the file says token embeddings become one vector. */
  pooling?: 'none' | 'mean' | 'cls' | 'last' | 'rank'
}

export interface TokenizeOptions {
  /** Adds BOS/EOS as the vocabulary wants; false for rendered chat templates, which write their own. */
  addSpecial: boolean
  /** Takes the text of special tokens as those tokens; false for what users wrote. */
  parseSpecial: boolean
}

export interface LlamaModel {
  readonly binding: Binding
  readonly pointer: ModelPointer
  readonly vocabulary: VocabularyPointer
  readonly shape: ModelShape
  /** Layers that may go to a GPU were asked for and a GPU is there. */
  readonly usesGpu: boolean
  /** Throws `invalid-request` for a model without a vocabulary. */
  tokenize(text: string, options: TokenizeOptions): number[]
  /** The same on a worker thread, for texts that take longer than a step. */
  tokenizeAsync(text: string, options: TokenizeOptions): Promise<number[]>
  /** UTF-8 bytes of a token, perhaps a part of a character; control tokens are empty unless `special`. */
  pieceBytes(token: number, special?: boolean): Uint8Array
  /** The token's text as the vocabulary writes it. */
  tokenText(token: number): string
  isEndOfGeneration(token: number): boolean
  /** Special, and not a part of what users see. */
  isControl(token: number): boolean
  endOfGenerationTokens(): readonly number[]
  /** Tokens that the file says must never be sampled. */
  suppressedTokens(): readonly number[]
  /** A scalar of the file's metadata as text. */
  metadata(key: string): string | undefined
  /** Frees the weights; all contexts must be closed before. Idempotent. */
  free(): void
}

const LOAD_BY_READING = 0
const LOAD_AS_DEVICE_LIKES = -1
const POOLING = ['none', 'mean', 'cls', 'last', 'rank'] as const

export interface LoadOptions {
  file: string
  /** Layers on the GPU; −1 is all; absent: all where there is a GPU. */
  gpuLayers?: number
  onProgress?: (fraction: number) => void
}

/** Loads on a worker thread. Throws `invalid-model-file` when libllama refuses the file. */
export async function loadModel(binding: Binding, options: LoadOptions): Promise<LlamaModel> {
  const { file, onProgress } = options
  const gpuLayers = options.gpuLayers ?? -1
  const usesGpu = gpuLayers !== 0 && binding.devices.some((device) => device.type === 'gpu' || device.type === 'integrated-gpu')
  const load_mode = !usesGpu && (await prefersReading(file)) ? LOAD_BY_READING : LOAD_AS_DEVICE_LIKES
  const pointer = await binding.loadModel(file, { n_gpu_layers: usesGpu ? gpuLayers : 0, load_mode }, throttle(onProgress))
  binding.endHugePages()
  const vocabulary = pointer && binding.vocabulary(pointer)
  if (!pointer || !vocabulary) throw new AppError('invalid-model-file', { path: file, reason: 'libllama cannot load it; its log says why' })
  return modelOver({ binding, pointer, vocabulary, usesGpu })
}

/** libllama reports each tensor; a hundred steps are enough. */
function throttle(onProgress: ((fraction: number) => void) | undefined): ((fraction: number) => void) | undefined {
  let last = -1
  return (
    onProgress &&
    ((fraction) => {
      if (fraction < 1 && fraction - last < 0.01) return
      last = fraction
      onProgress(fraction)
    })
  )
}

type Base = Pick<LlamaModel, 'binding' | 'pointer' | 'vocabulary' | 'usesGpu'>

function modelOver(base: Base): LlamaModel {
  const { binding, pointer, vocabulary } = base
  const shape = readShape(base)
  const pieces = new PieceTable((token, out, special) => binding.tokenPiece(vocabulary, token, out, special))
  const isKnown = (token: number): boolean => Number.isInteger(token) && token >= 0 && token < shape.vocabularySize
  let ends: readonly number[] | undefined
  let isFree = false
  return {
    ...base,
    shape,
    ...tokenizers(base),
    pieceBytes: (token, special = false) => (isKnown(token) ? pieces.get(token, special) : EMPTY),
    tokenText: (token) => (isKnown(token) ? (binding.tokenText(vocabulary, token) ?? '') : ''),
    isEndOfGeneration: (token) => isKnown(token) && binding.isEndOfGeneration(vocabulary, token),
    isControl: (token) => isKnown(token) && binding.isControl(vocabulary, token),
    endOfGenerationTokens: () => (ends ??= findEnds(binding, vocabulary, shape.vocabularySize)),
    suppressedTokens: () => binding.suppressedTokens(vocabulary),
    metadata: (key) => binding.metadata(pointer, key),
    free() {
      if (!isFree) binding.freeModel(pointer)
      isFree = true
    },
  }
}

function readShape({ binding, pointer, vocabulary }: Base): ModelShape {
  const architecture = binding.metadata(pointer, 'general.architecture') ?? 'unknown'
  const name = binding.metadata(pointer, 'general.name')
  const pooling = POOLING[Number(binding.metadata(pointer, `${architecture}.pooling_type`) ?? Number.NaN)]
  const hasVocabulary = binding.vocabularyType(vocabulary) !== 0
  const token = (id: number): number | undefined => (hasVocabulary && id >= 0 ? id : undefined)
  return {
    architecture,
    ...(name === undefined ? {} : { name }),
    vocabularySize: binding.vocabularySize(vocabulary),
    trainedContext: binding.trainedContext(pointer),
    embeddingLength: binding.embeddingLength(pointer),
    layers: binding.layerCount(pointer),
    parameters: binding.parameterCount(pointer),
    weightBytes: binding.weightBytes(pointer),
    hasEncoder: binding.hasEncoder(pointer),
    hasDecoder: binding.hasDecoder(pointer),
    isRecurrent: binding.isRecurrent(pointer) || binding.isHybrid(pointer),
    slidingWindow: binding.slidingWindow(pointer),
    beginToken: token(binding.beginToken(vocabulary)),
    endToken: token(binding.endToken(vocabulary)),
    endOfTurnToken: token(binding.endOfTurnToken(vocabulary)),
    addsBegin: hasVocabulary && binding.addsBegin(vocabulary),
    chatTemplate: binding.chatTemplate(pointer),
    pooling,
  }
}

function tokenizers({ binding, vocabulary }: Base): Pick<LlamaModel, 'tokenize' | 'tokenizeAsync'> {
  const prepare = (text: string): { utf8: Uint8Array; out: Int32Array } => {
    if (binding.vocabularyType(vocabulary) === 0) throw new AppError('invalid-request', { reason: 'the model has no vocabulary' })
    const utf8 = Buffer.from(text, 'utf8')
    // An empty Buffer has no address, and libllama looks at the text.
    return { utf8: utf8.length ? utf8 : Buffer.alloc(1).subarray(0, 0), out: new Int32Array(utf8.length + 16) }
  }
  return {
    tokenize(text, { addSpecial, parseSpecial }) {
      const { utf8, out } = prepare(text)
      const count = binding.tokenize(vocabulary, utf8, out, addSpecial, parseSpecial)
      if (count >= 0) return [...out.subarray(0, count)]
      const larger = new Int32Array(-count)
      return [...larger.subarray(0, Math.max(0, binding.tokenize(vocabulary, utf8, larger, addSpecial, parseSpecial)))]
    },
    async tokenizeAsync(text, { addSpecial, parseSpecial }) {
      const { utf8, out } = prepare(text)
      const count = await binding.tokenizeAsync(vocabulary, utf8, out, addSpecial, parseSpecial)
      if (count >= 0) return [...out.subarray(0, count)]
      const larger = new Int32Array(-count)
      return [...larger.subarray(0, Math.max(0, await binding.tokenizeAsync(vocabulary, utf8, larger, addSpecial, parseSpecial)))]
    },
  }
}

function findEnds(binding: Binding, vocabulary: VocabularyPointer, size: number): number[] {
  const ends: number[] = []
  for (let token = 0; token < size; token++) if (binding.isEndOfGeneration(vocabulary, token)) ends.push(token)
  return ends
}

const EMPTY = new Uint8Array(0)

/** Bytes of each token, asked for once. */
class PieceTable {
  #read: (token: number, out: Uint8Array, special: boolean) => number
  #plain: Uint8Array[] = []
  #special: Uint8Array[] = []
  #buffer = new Uint8Array(256)

  constructor(read: (token: number, out: Uint8Array, special: boolean) => number) {
    this.#read = read
  }

  get(token: number, special: boolean): Uint8Array {
    const table = special ? this.#special : this.#plain
    return (table[token] ??= this.#load(token, special))
  }

  #load(token: number, special: boolean): Uint8Array {
    let length = this.#read(token, this.#buffer, special)
    if (length < 0) {
      this.#buffer = new Uint8Array(-length)
      length = this.#read(token, this.#buffer, special)
    }
    return this.#buffer.slice(0, Math.max(0, length))
  }
}
