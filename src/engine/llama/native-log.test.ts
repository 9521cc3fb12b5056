import { expect, test } from 'vitest'
import { nativeErrors, parseNativeLogLine, sumNativeMemory } from './native-log.ts'

const MIB = 2 ** 20
/** From real runs of the pinned version. */
const LOG = `llama_model_loader: loaded meta data with 33 key-value pairs and 272 tensors from /m.gguf (version GGUF V3 (latest))
load: control token:      7 '<gh_stars>' is not marked as EOG
done_getting_tensors: tensor 'token_embd.weight' (q8_0) (and 272 others) cannot be used with preferred buffer type CPU_REPACK, using CPU instead
load_tensors:   CPU_Mapped model buffer size =    92.10 MiB
load_tensors:        CUDA0 model buffer size =    10.00 MiB
llama_context: constructing llama_context
llama_context:        CPU  output buffer size =     1.50 MiB
llama_kv_cache:        CPU KV buffer size =   180.00 MiB
sched_reserve:        CPU compute buffer size =    25.69 MiB
llama_context: constructing llama_context
llama_context:        CPU  output buffer size =     0.50 MiB
llama_kv_cache:        CPU KV buffer size =    90.00 MiB
llama_kv_cache:      CUDA0 KV buffer size =     8.00 MiB
sched_reserve:        CPU compute buffer size =    12.00 MiB
~llama_context:        CPU compute buffer size is  25.6895 MiB, matches expectation of  25.6895 MiB
`

test('buffer sizes are read with their kind and device', () => {
  expect(parseNativeLogLine('load_tensors:   CPU_Mapped model buffer size =    92.10 MiB')).toEqual({
    type: 'buffer',
    kind: 'model',
    device: 'CPU_Mapped',
    bytes: Math.round(92.1 * MIB),
  })
  expect(parseNativeLogLine('llama_kv_cache:      CUDA0 KV buffer size =   180.00 MiB')).toMatchObject({ kind: 'kv', device: 'CUDA0' })
  expect(parseNativeLogLine('llama_context: n_ctx = 8192')).toBeUndefined()
})

test('the memory of a log is that of its last load and its last context', () => {
  expect(sumNativeMemory(`${LOG}${LOG}`)).toEqual({
    weights: Math.round(92.1 * MIB) + 10 * MIB,
    kv: 98 * MIB,
    compute: 12.5 * MIB,
    onDevices: 18 * MIB,
  })
  expect(sumNativeMemory('')).toEqual({ weights: 0, kv: 0, compute: 0, onDevices: 0 })
})

test('errors worth telling are found once each, and harmless lines are not', () => {
  const failure = "llama_model_load: error loading model: unknown model architecture: 'nonsense'"
  expect(nativeErrors(`${LOG}${failure}\n${failure}\nllama_model_load_from_file_impl: failed to load model\n`)).toEqual([
    failure,
    'llama_model_load_from_file_impl: failed to load model',
  ])
  expect(nativeErrors(LOG)).toEqual([])
})
