import { mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { recordedSystem } from '../../test/fakes/recorded-system.ts'
import { pathsBelow } from '../base/paths.ts'
import { loadConfig } from '../config/load-config.ts'
import { probeHardware } from '../hardware/probe.ts'
import { FindingSchema } from '../shared/api.ts'
import type { Finding } from '../shared/api.ts'
import { createReport, writeReport } from './doctor-report.ts'
import type { ReportInput } from './doctor-report.ts'

let home = ''
beforeEach(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), 'bendi-report-'))
})
afterEach(() => rm(home, { recursive: true, force: true }))

const finding: Finding = {
  id: 'proxy',
  level: 'ok',
  title: { en: 'Proxy', zh: '代理' },
  detail: { en: 'http://wang:tiger99@proxy.acme.corp:3128', zh: 'http://wang:tiger99@proxy.acme.corp:3128' },
}

function input(): ReportInput {
  const env = {
    BENDI_HOME: home,
    HF_TOKEN: 'opaque-value-17',
    HTTPS_PROXY: 'http://wang:tiger99@proxy.acme.corp:3128',
    HF_ENDPOINT: 'http://mirror-box.acme.corp/hf',
  }
  return {
    findings: [finding],
    config: loadConfig({ env }),
    paths: pathsBelow(home),
    version: '1.2.3',
    identity: { hostNames: ['atlas-9'], userNames: ['zhangsan'] },
    now: () => Date.UTC(2026, 10, 22),
    examine: async () => ({
      hardware: await probeHardware({ home, system: recordedSystem({ files: { '/proc/cpuinfo': 'model name\t: EPYC\n' } }) }),
      host: { name: 'Debian on atlas-9', limits: { openFiles: Number.POSITIVE_INFINITY } },
      tools: { pythons: [], packages: {}, tools: {} },
    }),
  }
}

it('tells findings, hardware, versions, settings and the end of the logs, and no secret', async () => {
  const logs = path.join(home, 'logs')
  await mkdir(logs)
  const old = Array.from({ length: 300 }, (_, index) => `2026-11-22T00:00:00.000Z info  line ${index}`)
  const last = 'error at /home/zhangsan/x on atlas-9: token opaque-value-17 refused by 10.1.2.3, key sk-abcdefghijk'
  await writeFile(path.join(logs, 'bendi.log'), [...old, last, ''].join('\n'))
  const text = await createReport(input())
  for (const secret of ['opaque-value-17', 'tiger99', 'wang', 'acme', 'mirror-box', 'zhangsan', 'atlas-9', '10.1.2.3', 'abcdefghijk']) {
    expect(text, secret).not.toContain(secret)
  }
  const report = JSON.parse(text) as Record<string, Record<string, unknown>> & { findings: unknown[]; logs: Record<string, string[]> }
  expect(report['versions']).toMatchObject({ bendi: '1.2.3', node: process.version })
  expect(report['createdAt']).toBe('2026-11-22')
  expect(report['config']).toMatchObject({ port: 8400, hfToken: '<hidden>', httpsProxy: '<hidden>' })
  expect(report['hardware']).toMatchObject({ cpu: { model: expect.any(String) }, gpus: expect.any(Array) })
  expect(report['host']).toEqual({ name: 'Debian on <host>', limits: { openFiles: 'unlimited' } })
  expect(report.findings.map((item) => FindingSchema.parse(item).id)).toEqual(['proxy'])
  const lines = report.logs['bendi.log'] ?? []
  expect(lines).toHaveLength(200)
  expect(lines.at(-1)).toBe('error at /home/<user>/x on <host>: token <hidden> refused by <ip>, key <hidden>')
})

it('does not overwrite anything unless it is told to, and only its user can read it', async () => {
  const file = path.join(home, 'report.json')
  await writeFile(file, 'mine')
  await expect(writeReport(file, input(), { force: false })).rejects.toMatchObject({ code: 'report-exists' })
  expect(await readFile(file, 'utf8')).toBe('mine')
  await rm(file)
  await writeReport(file, input(), { force: false })
  expect((await stat(file)).mode & 0o077).toBe(0)
  await writeReport(file, input(), { force: true })
  expect(JSON.parse(await readFile(file, 'utf8'))).toHaveProperty('findings')
  await expect(writeReport(home, input(), { force: true })).rejects.toMatchObject({ code: 'report-exists' })
})

it('says so when the file cannot be written, and leaves nothing behind', async () => {
  const blocked = path.join(home, 'blocked')
  await writeFile(blocked, '')
  await expect(writeReport(path.join(blocked, 'report.json'), input(), { force: false })).rejects.toMatchObject({
    code: 'report-not-writable',
  })
  expect(await readdir(home)).toEqual(['blocked'])
})
