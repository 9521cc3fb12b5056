import { expect, test } from 'vitest'
import { createScriptedServer } from '../../../test/fakes/scripted-server.ts'
import { CatalogueAnswerSchema, CatalogueModelSchema } from '../../shared/api.ts'

const { get } = createScriptedServer()

test('GET /api/catalogue lists all models, and narrows them by its parameters', async () => {
  const all = CatalogueAnswerSchema.parse(await (await get('/api/catalogue')).json())
  const few = CatalogueAnswerSchema.parse(await (await get('/api/catalogue?q=distill&maxSize=10GB&task=math')).json())
  expect(all.models.length).toBeGreaterThan(100)
  expect(few.models.map((item) => item.shortNames[0])).toContain('deepseek-r1:7b')
  expect(few.models.length).toBeLessThan(10)
})

test('a parameter that does not exist, or a task that is none, is refused by name', async () => {
  for (const [query, field] of [
    ['size=1', 'size'],
    ['task=cooking', 'task'],
  ]) {
    const response = await get(`/api/catalogue?${query}`)
    expect(response.status).toBe(400)
    expect(JSON.stringify(await response.json())).toContain(field)
  }
})

test('GET /api/catalogue/:id knows repositories, with their slash, and short names', async () => {
  for (const [name, id] of [
    ['deepseek-r1:7b', 'DeepSeek-R1-Distill-Qwen-7B'],
    ['deepseek-ai/DeepSeek-V3', 'DeepSeek-V3'],
  ] as const) {
    const model = CatalogueModelSchema.parse(await (await get(`/api/catalogue/${encodeURIComponent(name)}`)).json())
    expect(model.id).toBe(id)
    expect(model.explanations.map(({ topic }) => topic)).toContain('license')
  }
})

test('an unknown model is 404 with the near ones', async () => {
  const response = await get('/api/catalogue/depseek-r1:7b')
  expect(response.status).toBe(404)
  expect(JSON.stringify(await response.json())).toContain('deepseek-r1:7b')
})
