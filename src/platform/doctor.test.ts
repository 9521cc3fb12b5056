import { expect, it } from 'vitest'
import { silentLogger } from '../base/logger.ts'
import { pathsBelow } from '../base/paths.ts'
import { loadConfig } from '../config/load-config.ts'
import { AppError } from '../shared/errors.ts'
import { kernelFinding } from './doctor.ts'
import type { ChooseKernel } from './doctor.ts'

const config = loadConfig({ env: { BENDI_HOME: '/nowhere' }, flags: { kernel: 'haswell' } })
const find = (chooseKernel: ChooseKernel): ReturnType<typeof kernelFinding> =>
  kernelFinding({ config, paths: pathsBelow('/nowhere'), logger: silentLogger, chooseKernel })

it('the kernel finding says which was chosen, why, and what the others took', async () => {
  const finding = await find(async ({ override }) => ({
    variant: override ?? '',
    reason: 'the fastest of 2: 12.3 ms, then sse42 with 40 ms',
    measured: [
      { variant: 'haswell', ms: 12.3 },
      { variant: 'sapphirerapids', ms: 3, error: 'SIGILL' },
    ],
  }))
  expect(finding).toMatchObject({
    level: 'ok',
    detail: {
      en: 'haswell: the fastest of 2: 12.3 ms, then sse42 with 40 ms (haswell 12 ms, sapphirerapids fails)',
      zh: 'haswell: 2 个中最快：12.3 毫秒，其次为 sse42（40 毫秒） (haswell 12 ms, sapphirerapids 失败)',
    },
  })
})

it('an engine that cannot run here is a problem with a remedy', async () => {
  const finding = await find(async () => {
    throw new AppError('unsupported-platform', { platform: 'sunos-sparc' })
  })
  expect(finding).toMatchObject({
    level: 'problem',
    detail: { en: expect.stringContaining('sunos-sparc') },
    remedy: { en: expect.any(String) },
  })
})
