import { expect, it } from 'vitest'
import { REPOSITORIES } from '../catalogue/repositories.ts'
import { catalogueHeader } from './catalogue-header.ts'
import { syntheticGguf } from './synthetic-gguf.ts'
import { isSynthetic } from './synthetic-traits.ts'

const KNOWN = REPOSITORIES.filter((model) => {
  const header = catalogueHeader(`${model.owner}/${model.id}`)
  return model.parameters.exact !== null && header !== undefined && isSynthetic(header.architecture)
})

it('the made tensors of every catalogued model have exactly its parameters', () => {
  expect(KNOWN.length).toBeGreaterThan(70)
  const wrong = KNOWN.flatMap((model) => {
    const header = catalogueHeader(`${model.owner}/${model.id}`)
    const tensors = header && syntheticGguf(header)?.tensors
    const elements = (tensors ?? []).reduce((total, { shape }) => total + shape.reduce((product, size) => product * size, 1), 0)
    const shape = model.shape
    // The router's correction is left out of the published counts.
    const corrections =
      shape && (shape['topk_method'] === 'noaux_tc' || header?.architecture === 'glm4moe')
        ? Number(shape['n_routed_experts']) * (shape.num_hidden_layers - Number(shape['first_k_dense_replace']))
        : 0
    return elements - corrections === model.parameters.exact || elements === model.parameters.exact
      ? []
      : [`${model.id}: ${elements} instead of ${model.parameters.exact}`]
  })
  expect(wrong).toEqual([])
})

it('what libllama is not known to run so has no made header', () => {
  const header = catalogueHeader('deepseek-ai/DeepSeek-R1')
  expect(header && syntheticGguf({ ...header, architecture: 'unheard-of' })).toBeUndefined()
  expect(header && syntheticGguf({ ...header, shape: {} })).toBeUndefined()
})
