import { describe, expect, test } from 'vitest'
import { createScriptedServer } from '../../../test/fakes/scripted-server.ts'
import { PlanReportSchema, RecommendReportSchema } from '../../shared/plan.ts'

const { get, post } = createScriptedServer()

describe('/api/plan', () => {
  test('answers the same to GET and POST', async () => {
    const request = { model: 'deepseek-r1:7b', gpu: '4060', context: 8192, users: 2, kv: 'q8_0' }
    const posted = PlanReportSchema.parse(await (await post('/api/plan', request)).json())
    const query = new URLSearchParams(Object.entries(request).map(([key, value]) => [key, String(value)]))
    expect(PlanReportSchema.parse(await (await get(`/api/plan?${query}`)).json())).toEqual(posted)
    expect(posted).toMatchObject({ wishes: { context: 8192, users: 2, kv: 'q8_0', quantization: 'Q4_K_M' }, fits: true })
    expect(posted.terms.length).toBeGreaterThan(4)
  })

  test('recommends without a model', async () => {
    const report = RecommendReportSchema.parse(await (await get('/api/plan?for=code&gpu=4090&ram=64G')).json())
    expect(report.for).toBe('code')
    expect(report.models.length).toBeGreaterThan(2)
  })

  test.each([
    ['gpu=Voodoo&model=deepseek-r1:7b', 400, 'NAME-48G@900GB/s'],
    ['model=deepseek-r1:7b&context=0', 400, 'context'],
    ['model=deepseek-r1:7b&kv=q9', 400, 'kv'],
    ['model=deepseek-r1:7b&colour=red', 400, 'colour'],
    ['model=no-such-model', 404, 'no-such-model'],
    ['for=cooking', 400, 'for'],
  ])('%s is refused by name', async (query, status, text) => {
    const response = await get(`/api/plan?${query}`)
    expect(response.status).toBe(status)
    expect(JSON.stringify(await response.json())).toContain(text)
  })
})
