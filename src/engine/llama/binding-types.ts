/** What the rest of the engine sees of libllama: plain functions and opaque pointers. */
import type { ContextParams, ModelParams, NativeBatch, Pointer } from './binding-structs.ts'
import type { NativePackage } from './native-package.ts'

export type { ContextParams, ModelParams, NativeBatch, Pointer } from './binding-structs.ts'
export type ModelPointer = Pointer<'model'>
export type VocabularyPointer = Pointer<'vocabulary'>
export type ContextPointer = Pointer<'context'>
export type MemoryPointer = Pointer<'memory'>
export type SamplerPointer = Pointer<'sampler'>

export interface Device {
  name: string
  description: string
  type: 'cpu' | 'gpu' | 'integrated-gpu' | 'accelerator' | 'other'
  totalBytes: number
  freeBytes: number
}

/** Candidate tokens of one sampling step, in native memory: `capacity` rows of { id int32, logit float, p float }. */
export interface CandidateArray {
  /** 3 numbers a candidate; `ids[3 i]` and `logits[3 i + 1]` are views of the same bytes. */
  ids: Int32Array
  logits: Float32Array
  capacity: number
  /** The struct llama_token_data_array itself. */
  pointer: bigint
  /** Sets its size and whether it is sorted by falling logit; nothing is selected. */
  reset(size: number, sorted: boolean): void
  /** Index that the chain selected, or −1. */
  selected(): number
  /** Samplers may have made it shorter. */
  size(): number
  free(): void
}

/** One native batch and its arrays as views; filled in place. */
export interface BatchBuffer {
  native: NativeBatch
  token: Int32Array
  position: Int32Array
  /** First (and only) sequence id of each token. */
  slot(index: number, slot: number): void
  output: Int8Array
  free(): void
}

/** Typed functions over libllama; each is named after what it does, with its C name beside it in `declareFunctions`. */
export interface Binding {
  readonly package: NativePackage
  readonly kernel: string | undefined
  readonly devices: readonly Device[]

  /** Runs on a worker thread. `onProgress` gets 0 … 1. Undefined when the file cannot be loaded; the log says why. */
  loadModel(file: string, params: Partial<ModelParams>, onProgress?: (fraction: number) => void): Promise<ModelPointer | undefined>
  freeModel(model: ModelPointer): void
  /** What is allocated from now on comes in pages of the usual size; see huge-pages.ts. */
  endHugePages(): void
  vocabulary(model: ModelPointer): VocabularyPointer | undefined
  trainedContext(model: ModelPointer): number
  embeddingLength(model: ModelPointer): number
  outputEmbeddingLength(model: ModelPointer): number
  layerCount(model: ModelPointer): number
  slidingWindow(model: ModelPointer): number
  parameterCount(model: ModelPointer): number
  weightBytes(model: ModelPointer): number
  hasEncoder(model: ModelPointer): boolean
  hasDecoder(model: ModelPointer): boolean
  isRecurrent(model: ModelPointer): boolean
  isHybrid(model: ModelPointer): boolean
  isDiffusion(model: ModelPointer): boolean
  /** `name`: of one of several, e.g. `rerank`. */
  chatTemplate(model: ModelPointer, name?: string): string | undefined
  /** Scalars only, as text; arrays are undefined. */
  metadata(model: ModelPointer, key: string): string | undefined

  vocabularySize(vocabulary: VocabularyPointer): number
  /** 0 = the model has no vocabulary. */
  vocabularyType(vocabulary: VocabularyPointer): number
  tokenText(vocabulary: VocabularyPointer, token: number): string | undefined
  isEndOfGeneration(vocabulary: VocabularyPointer, token: number): boolean
  isControl(vocabulary: VocabularyPointer, token: number): boolean
  /** −1 = there is none; also for the others. */
  beginToken(vocabulary: VocabularyPointer): number
  endToken(vocabulary: VocabularyPointer): number
  endOfTurnToken(vocabulary: VocabularyPointer): number
  addsBegin(vocabulary: VocabularyPointer): boolean
  separatorToken(vocabulary: VocabularyPointer): number
  /** Around the text before, the text after, and the text to be written between them. */
  infillPrefixToken(vocabulary: VocabularyPointer): number
  infillSuffixToken(vocabulary: VocabularyPointer): number
  infillMiddleToken(vocabulary: VocabularyPointer): number
  addsEnd(vocabulary: VocabularyPointer): boolean
  addsSeparator(vocabulary: VocabularyPointer): boolean
  /** Tokens that the model's file says must never be sampled. */
  suppressedTokens(vocabulary: VocabularyPointer): number[]
  /** Returns the count, or minus the count when `out` is too short. */
  tokenize(vocabulary: VocabularyPointer, utf8: Uint8Array, out: Int32Array, addSpecial: boolean, parseSpecial: boolean): number
  tokenizeAsync(
    vocabulary: VocabularyPointer,
    utf8: Uint8Array,
    out: Int32Array,
    addSpecial: boolean,
    parseSpecial: boolean,
  ): Promise<number>
  /** Returns the bytes written, or minus the bytes needed. */
  tokenPiece(vocabulary: VocabularyPointer, token: number, out: Uint8Array, special: boolean): number

  createContext(model: ModelPointer, params: Partial<ContextParams>): Promise<ContextPointer | undefined>
  freeContext(context: ContextPointer): void
  /** Tokens that one decode takes; less than asked for in a small context. */
  batchCapacity(context: ContextPointer): number
  contextCells(context: ContextPointer): number
  contextCellsPerSequence(context: ContextPointer): number
  memory(context: ContextPointer): MemoryPointer | undefined
  setThreads(context: ContextPointer, threads: number, batchThreads: number): void
  /** Runs on a worker thread: 0 ok, 1 no KV room, 2 aborted, negative fatal. One at a time per context. */
  decode(context: ContextPointer, batch: NativeBatch): Promise<number>
  /** Waits for a GPU on a worker thread. */
  synchronize(context: ContextPointer): Promise<void>
  /** Address of the rows of logits, in batch order, vocabularySize floats each. */
  logits(context: ContextPointer): bigint | undefined
  /** Address of one row an output of the last batch, in batch order, outputEmbeddingLength floats each (contexts that do not pool). */
  embeddings(context: ContextPointer): bigint | undefined
  /** Address of the vector of a whole sequence (contexts that pool); with rank pooling, its scores. */
  sequenceEmbedding(context: ContextPointer, slot: number): bigint | undefined

  clearMemory(memory: MemoryPointer): void
  /** False where a part cannot be removed. `end` −1 is infinity. */
  removeCells(memory: MemoryPointer, slot: number, start: number, end: number): boolean
  copyCells(memory: MemoryPointer, from: number, to: number, start: number, end: number): void
  /** −1 when empty. */
  lastPosition(memory: MemoryPointer, slot: number): number
  stateBytes(context: ContextPointer, slot: number): number
  /** Both run on a worker thread and return the bytes moved; 0 is a failure. */
  readState(context: ContextPointer, out: Uint8Array, slot: number): Promise<number>
  writeState(context: ContextPointer, blob: Uint8Array, slot: number): Promise<number>

  createChain(): SamplerPointer | undefined
  /** The chain owns it from now on. */
  addToChain(chain: SamplerPointer, sampler: SamplerPointer): void
  freeSampler(sampler: SamplerPointer): void
  acceptToken(sampler: SamplerPointer, token: number): void
  applySampler(sampler: SamplerPointer, candidates: bigint): void
  /** Samples from all logits of output row `index` of the batch, and accepts. */
  sample(chain: SamplerPointer, context: ContextPointer, index: number): number
  distribution(seed: number): SamplerPointer | undefined
  topK(k: number): SamplerPointer | undefined
  topP(p: number, minKeep: number): SamplerPointer | undefined
  minP(p: number, minKeep: number): SamplerPointer | undefined
  typical(p: number, minKeep: number): SamplerPointer | undefined
  temperature(value: number): SamplerPointer | undefined
  /** Selects the candidate with the highest logit. */
  greedy(): SamplerPointer | undefined
  xtc(probability: number, threshold: number, minKeep: number, seed: number): SamplerPointer | undefined
  dry(
    vocabulary: VocabularyPointer,
    settings: { multiplier: number; base: number; allowedLength: number; lastN: number; breakers: readonly string[] },
  ): SamplerPointer | undefined
  /** Undefined when the GBNF does not parse or has no rule `root`. */
  grammar(vocabulary: VocabularyPointer, gbnf: string): SamplerPointer | undefined

  /** A window on native floats; valid while that memory is. */
  viewFloats(address: bigint, count: number): Float32Array
  createBatch(capacity: number): BatchBuffer
  createCandidates(capacity: number): CandidateArray
}
