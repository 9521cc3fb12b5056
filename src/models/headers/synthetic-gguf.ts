/**
 * A GGUF header for a dry run of the engine (engine/llama/dry-run.ts), which has no need of a vocabulary or of weights:
 * from a GGUF's own metadata, or made from the shape of a safetensors model. Undefined for what libllama cannot run so.
 */
import type { GgufValue } from '../gguf.ts'
import { ggmlTypeId } from '../ggml-types.ts'
import type { ModelHeader } from './model-header.ts'
import { shapeMetadata } from './synthetic-metadata.ts'
import { shapeTensors } from './synthetic-tensors.ts'
import type { SyntheticGguf, SyntheticValue } from './synthetic-value.ts'

/** Source: llama-vocab.cpp: the tokeniser `no_vocab` needs only its size. */
const NO_VOCABULARY: SyntheticValue = { type: 'string', value: 'no_vocab' }

export function syntheticGguf(header: ModelHeader): SyntheticGguf | undefined {
  if (header.source === 'gguf') return fromGguf(header)
  const metadata = shapeMetadata(header.architecture, header.shape)
  const tensors = shapeTensors(header.architecture, header.shape)
  return metadata && tensors && { metadata: withoutVocabulary(header, metadata), tensors }
}

function fromGguf({ gguf, tensors = [], ...header }: ModelHeader): SyntheticGguf | undefined {
  if (gguf === undefined) return undefined
  const kept = [...gguf.metadata].filter(
    ([key]) => !/^(tokenizer\.|split\.|general\.(alignment|tags|languages|source|base_model))/.test(key),
  )
  const metadata = kept.flatMap(([key, value]) => {
    const typed = typedValue(value, gguf.types.get(key))
    return typed === undefined ? [] : [[key, typed] as const]
  })
  const typed = tensors.flatMap(({ name, shape, type, bytes }) => {
    const typeId = ggmlTypeId(type)
    return typeId === undefined ? [] : [{ name, shape: shape.toReversed(), typeId, bytes }]
  })
  return { metadata: withoutVocabulary(header, Object.fromEntries(metadata)), tensors: typed }
}

function withoutVocabulary(
  { architecture, shape }: Pick<ModelHeader, 'architecture' | 'shape'>,
  metadata: Record<string, SyntheticValue>,
): Record<string, SyntheticValue> {
  return {
    ...metadata,
    'tokenizer.ggml.model': NO_VOCABULARY,
    [`${architecture}.vocab_size`]: { type: 'u32', value: shape.vocab_size ?? 0 },
  }
}

const SCALARS = ['u8', 'i8', 'u16', 'i16', 'u32', 'i32', 'f32', 'f64', 'u64', 'i64', 'bool', 'string'] as const
type ScalarType = (typeof SCALARS)[number]

/** Undefined for lists that were too long to keep. */
function typedValue(value: GgufValue, type: string | undefined): SyntheticValue | undefined {
  if (typeof value === 'object') {
    const elementType = scalarType(value.elementType)
    return value.values && elementType && { type: 'array', elementType, values: value.values }
  }
  const scalar = scalarType(type)
  return scalar && ({ type: scalar, value } as SyntheticValue)
}

function scalarType(type: string | undefined): ScalarType | undefined {
  return SCALARS.find((name) => name === type)
}
