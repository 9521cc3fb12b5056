/**
 * The C functions of libllama as typed functions of ours, by area. Part of the binding: no other file may touch koffi.
 * Signatures as in `include/llama.h` of the pinned version.
 */
import koffi from 'koffi'
import type { LibraryHandle, TypeObject } from 'koffi'
import { batchStruct, chainParams, contextParams, modelParams, progressCallback } from './binding-structs.ts'
import type {
  Binding,
  ContextParams,
  ContextPointer,
  MemoryPointer,
  ModelParams,
  ModelPointer,
  NativeBatch,
  Pointer,
  SamplerPointer,
  VocabularyPointer,
} from './binding-types.ts'

/** Seed that libllama takes as "random". */
const RANDOM_SEED = 0xffff_ffff

type ModelFunctions = Pick<
  Binding,
  | 'loadModel'
  | 'freeModel'
  | 'vocabulary'
  | 'trainedContext'
  | 'embeddingLength'
  | 'outputEmbeddingLength'
  | 'layerCount'
  | 'slidingWindow'
  | 'parameterCount'
  | 'weightBytes'
  | 'hasEncoder'
  | 'hasDecoder'
  | 'isRecurrent'
  | 'isHybrid'
  | 'isDiffusion'
  | 'chatTemplate'
  | 'metadata'
>
type VocabularyFunctions = Pick<
  Binding,
  | 'vocabularySize'
  | 'vocabularyType'
  | 'tokenText'
  | 'isEndOfGeneration'
  | 'isControl'
  | 'beginToken'
  | 'endToken'
  | 'endOfTurnToken'
  | 'addsBegin'
  | 'separatorToken'
  | 'infillPrefixToken'
  | 'infillSuffixToken'
  | 'infillMiddleToken'
  | 'addsEnd'
  | 'addsSeparator'
  | 'suppressedTokens'
  | 'tokenize'
  | 'tokenizeAsync'
  | 'tokenPiece'
>
type ContextFunctions = Pick<
  Binding,
  | 'createContext'
  | 'freeContext'
  | 'contextCells'
  | 'batchCapacity'
  | 'contextCellsPerSequence'
  | 'memory'
  | 'setThreads'
  | 'decode'
  | 'synchronize'
  | 'logits'
  | 'embeddings'
  | 'sequenceEmbedding'
>
type MemoryFunctions = Pick<
  Binding,
  'clearMemory' | 'removeCells' | 'copyCells' | 'lastPosition' | 'stateBytes' | 'readState' | 'writeState'
>
type SamplerFunctions = Pick<
  Binding,
  | 'createChain'
  | 'addToChain'
  | 'freeSampler'
  | 'acceptToken'
  | 'applySampler'
  | 'sample'
  | 'distribution'
  | 'topK'
  | 'topP'
  | 'minP'
  | 'typical'
  | 'temperature'
  | 'greedy'
  | 'xtc'
  | 'dry'
  | 'grammar'
>

export type CType = string | TypeObject

export function declare<Signature extends (...parameters: never[]) => unknown>(
  library: LibraryHandle,
  name: string,
  result: CType,
  parameters: CType[],
): Signature {
  return library.func(name, result, parameters) as unknown as Signature
}

/** The same C function on a worker thread. */
function declareAsync<Parameters extends unknown[], Result>(
  library: LibraryHandle,
  name: string,
  result: CType,
  parameters: CType[],
): (...parameters: Parameters) => Promise<Result> {
  const native = library.func(name, result, parameters)
  return (...given) =>
    new Promise((resolve, reject) => {
      native.async(...given, (error: unknown, value: Result) => (error ? reject(error) : resolve(value)))
    })
}

/** A pointer of C: NULL becomes undefined. */
export function pointer<Kind extends string>(value: bigint | null): Pointer<Kind> | undefined {
  return value === null || value === 0n ? undefined : (value as Pointer<Kind>)
}

/** Functions from one pointer to a plain value: { ourName: [c_name, c_type] }. */
function getters<Names extends string, Result>(
  library: LibraryHandle,
  table: Record<Names, [name: string, result: string]>,
  convert: (value: unknown) => Result,
): Record<Names, (of: bigint) => Result> {
  const entries = Object.entries<[string, string]>(table).map(([ours, [name, result]]) => {
    const native = declare<(of: bigint) => unknown>(library, name, result, ['void *'])
    return [ours, (of: bigint) => convert(native(of))]
  })
  return Object.fromEntries(entries) as Record<Names, (of: bigint) => Result>
}

export function modelFunctions(llama: LibraryHandle, defaults: ModelParams): ModelFunctions {
  const load = declareAsync<[string, ModelParams], bigint | null>(llama, 'llama_model_load_from_file', 'void *', ['str', modelParams])
  const vocabulary = declare<(model: bigint) => bigint | null>(llama, 'llama_model_get_vocab', 'void *', ['void *'])
  const template = declare<(model: bigint, name: string | null) => string | null>(llama, 'llama_model_chat_template', 'str', [
    'void *',
    'str',
  ])
  const meta = declare<(model: bigint, key: string, out: Uint8Array, size: number) => number>(llama, 'llama_model_meta_val_str', 'int32', [
    'void *',
    'str',
    'void *',
    'size_t',
  ])
  const numbers = getters(
    llama,
    {
      trainedContext: ['llama_model_n_ctx_train', 'int32'],
      embeddingLength: ['llama_model_n_embd', 'int32'],
      outputEmbeddingLength: ['llama_model_n_embd_out', 'int32'],
      layerCount: ['llama_model_n_layer', 'int32'],
      slidingWindow: ['llama_model_n_swa', 'int32'],
      parameterCount: ['llama_model_n_params', 'uint64'],
      weightBytes: ['llama_model_size', 'uint64'],
    },
    Number,
  )
  const flags = getters(
    llama,
    {
      hasEncoder: ['llama_model_has_encoder', 'bool'],
      hasDecoder: ['llama_model_has_decoder', 'bool'],
      isRecurrent: ['llama_model_is_recurrent', 'bool'],
      isHybrid: ['llama_model_is_hybrid', 'bool'],
      isDiffusion: ['llama_model_is_diffusion', 'bool'],
    },
    Boolean,
  )
  return {
    ...numbers,
    ...flags,
    loadModel: async (file: string, params: Partial<ModelParams>, onProgress?: (fraction: number) => void) => {
      const callback = onProgress && koffi.register((fraction: number) => (onProgress(fraction), true), koffi.pointer(progressCallback))
      try {
        return pointer<'model'>(await load(file, { ...defaults, ...params, progress_callback: callback ?? null }))
      } finally {
        if (callback) koffi.unregister(callback)
      }
    },
    freeModel: declare<(model: ModelPointer) => void>(llama, 'llama_model_free', 'void', ['void *']),
    vocabulary: (model: ModelPointer) => pointer<'vocabulary'>(vocabulary(model)),
    chatTemplate: (model: ModelPointer, name?: string) => template(model, name ?? null) ?? undefined,
    metadata: (model: ModelPointer, key: string) => readMetadata((out) => meta(model, key, out, out.length)),
  }
}

/** `read` returns the length without its final zero, which it writes too, or −1. */
function readMetadata(read: (out: Uint8Array) => number): string | undefined {
  let out = Buffer.alloc(256)
  let length = read(out)
  if (length >= out.length) {
    out = Buffer.alloc(length + 1)
    length = read(out)
  }
  return length < 0 ? undefined : out.toString('utf8', 0, length)
}

export function vocabularyFunctions(llama: LibraryHandle): VocabularyFunctions {
  const signature = ['void *', 'void *', 'int32', 'void *', 'int32', 'bool', 'bool']
  type TokenizeArguments = [VocabularyPointer, Uint8Array, number, Int32Array, number, boolean, boolean]
  const tokenize = declare<(...parameters: TokenizeArguments) => number>(llama, 'llama_tokenize', 'int32', signature)
  const tokenizeAsync = declareAsync<TokenizeArguments, number>(llama, 'llama_tokenize', 'int32', signature)
  const piece = declare<(v: bigint, token: number, out: Uint8Array, length: number, strip: number, special: boolean) => number>(
    llama,
    'llama_token_to_piece',
    'int32',
    ['void *', 'int32', 'void *', 'int32', 'int32', 'bool'],
  )
  const text = declare<(v: bigint, token: number) => string | null>(llama, 'llama_vocab_get_text', 'str', ['void *', 'int32'])
  const suppressed = declare<(v: bigint, count: Int32Array) => bigint | null>(llama, 'llama_vocab_get_suppress_tokens', 'void *', [
    'void *',
    'void *',
  ])
  const numbers = getters(
    llama,
    {
      vocabularySize: ['llama_vocab_n_tokens', 'int32'],
      vocabularyType: ['llama_vocab_type', 'int32'],
      beginToken: ['llama_vocab_bos', 'int32'],
      endToken: ['llama_vocab_eos', 'int32'],
      endOfTurnToken: ['llama_vocab_eot', 'int32'],
      separatorToken: ['llama_vocab_sep', 'int32'],
      infillPrefixToken: ['llama_vocab_fim_pre', 'int32'],
      infillSuffixToken: ['llama_vocab_fim_suf', 'int32'],
      infillMiddleToken: ['llama_vocab_fim_mid', 'int32'],
    },
    Number,
  )
  const flags = getters(
    llama,
    {
      addsBegin: ['llama_vocab_get_add_bos', 'bool'],
      addsEnd: ['llama_vocab_get_add_eos', 'bool'],
      addsSeparator: ['llama_vocab_get_add_sep', 'bool'],
    },
    Boolean,
  )
  return {
    ...numbers,
    ...flags,
    tokenText: (vocabulary: VocabularyPointer, token: number) => text(vocabulary, token) ?? undefined,
    isEndOfGeneration: declare<(v: VocabularyPointer, token: number) => boolean>(llama, 'llama_vocab_is_eog', 'bool', ['void *', 'int32']),
    isControl: declare<(v: VocabularyPointer, token: number) => boolean>(llama, 'llama_vocab_is_control', 'bool', ['void *', 'int32']),
    suppressedTokens: (vocabulary: VocabularyPointer) => {
      const count = new Int32Array(1)
      const address = suppressed(vocabulary, count)
      return address && count[0] ? [...new Int32Array(koffi.view(address, count[0] * 4))] : []
    },
    tokenize: (vocabulary: VocabularyPointer, utf8: Uint8Array, out: Int32Array, addSpecial: boolean, parseSpecial: boolean) =>
      tokenize(vocabulary, utf8, utf8.length, out, out.length, addSpecial, parseSpecial),
    tokenizeAsync: (vocabulary: VocabularyPointer, utf8: Uint8Array, out: Int32Array, addSpecial: boolean, parseSpecial: boolean) =>
      tokenizeAsync(vocabulary, utf8, utf8.length, out, out.length, addSpecial, parseSpecial),
    tokenPiece: (vocabulary: VocabularyPointer, token: number, out: Uint8Array, special: boolean) =>
      piece(vocabulary, token, out, out.length, 0, special),
  }
}

export function contextFunctions(llama: LibraryHandle, defaults: ContextParams): ContextFunctions {
  const create = declareAsync<[ModelPointer, ContextParams], bigint | null>(llama, 'llama_init_from_model', 'void *', [
    'void *',
    contextParams,
  ])
  const memory = declare<(context: bigint) => bigint | null>(llama, 'llama_get_memory', 'void *', ['void *'])
  const logits = declare<(context: bigint) => bigint | null>(llama, 'llama_get_logits', 'void *', ['void *'])
  const embeddings = declare<(context: bigint) => bigint | null>(llama, 'llama_get_embeddings', 'void *', ['void *'])
  const pooled = declare<(context: bigint, slot: number) => bigint | null>(llama, 'llama_get_embeddings_seq', 'void *', ['void *', 'int32'])
  const numbers = getters(
    llama,
    {
      batchCapacity: ['llama_n_batch', 'uint32'],
      contextCells: ['llama_n_ctx', 'uint32'],
      contextCellsPerSequence: ['llama_n_ctx_seq', 'uint32'],
    },
    Number,
  )
  return {
    ...numbers,
    createContext: async (model: ModelPointer, params: Partial<ContextParams>) =>
      pointer<'context'>(await create(model, { ...defaults, ...params })),
    freeContext: declare<(context: ContextPointer) => void>(llama, 'llama_free', 'void', ['void *']),
    memory: (context: ContextPointer) => pointer<'memory'>(memory(context)),
    setThreads: declare<(context: ContextPointer, threads: number, batchThreads: number) => void>(llama, 'llama_set_n_threads', 'void', [
      'void *',
      'int32',
      'int32',
    ]),
    decode: declareAsync<[ContextPointer, NativeBatch], number>(llama, 'llama_decode', 'int32', ['void *', batchStruct]),
    synchronize: declareAsync<[ContextPointer], void>(llama, 'llama_synchronize', 'void', ['void *']),
    logits: (context: ContextPointer) => logits(context) ?? undefined,
    embeddings: (context: ContextPointer) => embeddings(context) ?? undefined,
    sequenceEmbedding: (context: ContextPointer, slot: number) => pooled(context, slot) ?? undefined,
  }
}

export function memoryFunctions(llama: LibraryHandle): MemoryFunctions {
  const clear = declare<(memory: bigint, data: boolean) => void>(llama, 'llama_memory_clear', 'void', ['void *', 'bool'])
  const bytes = declare<(context: bigint, slot: number) => number>(llama, 'llama_state_seq_get_size', 'size_t', ['void *', 'int32'])
  const stateSignature = ['void *', 'void *', 'size_t', 'int32']
  type StateArguments = [ContextPointer, Uint8Array, number, number]
  const read = declareAsync<StateArguments, number>(llama, 'llama_state_seq_get_data', 'size_t', stateSignature)
  const write = declareAsync<StateArguments, number>(llama, 'llama_state_seq_set_data', 'size_t', stateSignature)
  return {
    clearMemory: (memory: MemoryPointer) => clear(memory, false),
    removeCells: declare<(memory: MemoryPointer, slot: number, start: number, end: number) => boolean>(
      llama,
      'llama_memory_seq_rm',
      'bool',
      ['void *', 'int32', 'int32', 'int32'],
    ),
    copyCells: declare<(memory: MemoryPointer, from: number, to: number, start: number, end: number) => void>(
      llama,
      'llama_memory_seq_cp',
      'void',
      ['void *', 'int32', 'int32', 'int32', 'int32'],
    ),
    lastPosition: declare<(memory: MemoryPointer, slot: number) => number>(llama, 'llama_memory_seq_pos_max', 'int32', ['void *', 'int32']),
    stateBytes: (context: ContextPointer, slot: number) => Number(bytes(context, slot)),
    readState: async (context: ContextPointer, out: Uint8Array, slot: number) => Number(await read(context, out, out.length, slot)),
    writeState: async (context: ContextPointer, blob: Uint8Array, slot: number) => Number(await write(context, blob, blob.length, slot)),
  }
}

export function samplerFunctions(llama: LibraryHandle): SamplerFunctions {
  const make = <Parameters extends unknown[]>(
    name: string,
    parameters: CType[],
  ): ((...given: Parameters) => SamplerPointer | undefined) => {
    const native = declare<(...given: Parameters) => bigint | null>(llama, name, 'void *', parameters)
    return (...given) => pointer<'sampler'>(native(...given))
  }
  const chain = make<[{ no_perf: boolean }]>('llama_sampler_chain_init', [chainParams])
  const distribution = make<[number]>('llama_sampler_init_dist', ['uint32'])
  const xtc = make<[number, number, number, number]>('llama_sampler_init_xtc', ['float', 'float', 'size_t', 'uint32'])
  const grammar = make<[VocabularyPointer, string, string]>('llama_sampler_init_grammar', ['void *', 'str', 'str'])
  const dry = make<[VocabularyPointer, number, number, number, number, readonly string[], number]>('llama_sampler_init_dry', [
    'void *',
    'float',
    'float',
    'int32',
    'int32',
    'const char **',
    'size_t',
  ])
  const fixSeed = (seed: number): number => (seed === RANDOM_SEED ? RANDOM_SEED - 1 : seed)
  return {
    createChain: () => chain({ no_perf: true }),
    addToChain: declare<(chain: SamplerPointer, sampler: SamplerPointer) => void>(llama, 'llama_sampler_chain_add', 'void', [
      'void *',
      'void *',
    ]),
    freeSampler: declare<(sampler: SamplerPointer) => void>(llama, 'llama_sampler_free', 'void', ['void *']),
    acceptToken: declare<(sampler: SamplerPointer, token: number) => void>(llama, 'llama_sampler_accept', 'void', ['void *', 'int32']),
    applySampler: declare<(sampler: SamplerPointer, candidates: bigint) => void>(llama, 'llama_sampler_apply', 'void', [
      'void *',
      'void *',
    ]),
    sample: declare<(chain: SamplerPointer, context: ContextPointer, index: number) => number>(llama, 'llama_sampler_sample', 'int32', [
      'void *',
      'void *',
      'int32',
    ]),
    distribution: (seed: number) => distribution(fixSeed(seed)),
    topK: make<[number]>('llama_sampler_init_top_k', ['int32']),
    topP: make<[number, number]>('llama_sampler_init_top_p', ['float', 'size_t']),
    minP: make<[number, number]>('llama_sampler_init_min_p', ['float', 'size_t']),
    typical: make<[number, number]>('llama_sampler_init_typical', ['float', 'size_t']),
    temperature: make<[number]>('llama_sampler_init_temp', ['float']),
    greedy: make<[]>('llama_sampler_init_greedy', []),
    xtc: (probability: number, threshold: number, minKeep: number, seed: number) => xtc(probability, threshold, minKeep, fixSeed(seed)),
    dry: (vocabulary: VocabularyPointer, settings: Parameters<Binding['dry']>[1]) =>
      dry(
        vocabulary,
        settings.multiplier,
        settings.base,
        settings.allowedLength,
        settings.lastN,
        settings.breakers,
        settings.breakers.length,
      ),
    grammar: (vocabulary: VocabularyPointer, gbnf: string) => grammar(vocabulary, gbnf, 'root'),
  }
}
