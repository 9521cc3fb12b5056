import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { documentedPackages } from './architecture/documented.ts'
import { violations } from './architecture/rules.ts'
import { readSource, type SourceFile } from './architecture/source-file.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const text = (file: string): string => readFileSync(path.join(root, file), 'utf8')

function filesBelow(folder: string): string[] {
  return readdirSync(path.join(root, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.(tsx?|mjs)$/.test(entry.name))
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'))
    .filter((file) => !/(^|\/)(node_modules|dist)\//.test(file))
}

describe('the tree', () => {
  const files = ['src', 'ui', 'test', 'bench', 'scripts'].flatMap(filesBelow).map((file) => readSource(file, text(file)))

  it.each(['shared', 'base', 'config', 'hardware', 'models', 'planner', 'formats', 'store', 'engine', 'platform', 'server', 'cli'])(
    'has src/%s',
    (zone) => {
      expect(files.some((file) => file.path.startsWith(`src/${zone}/`))).toBe(true)
    },
  )

  it('keeps every rule of ARCHITECTURE.md', () => {
    expect(violations(files)).toEqual([])
  })

  it('pins every dependency to one version', () => {
    const { dependencies, optionalDependencies, devDependencies } = JSON.parse(text('package.json')) as Record<
      string,
      Record<string, string>
    >
    const all = Object.entries({ ...dependencies, ...optionalDependencies, ...devDependencies })
    expect(all.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([])
  })

  it('documents exactly the dependencies that it has', () => {
    const { dependencies, optionalDependencies, devDependencies } = JSON.parse(text('package.json')) as Record<
      string,
      Record<string, string>
    >
    const markdown = text('docs/dependencies.md')
    const names = (list: Record<string, string> | undefined): string[] => Object.keys(list ?? {}).toSorted()
    expect(documentedPackages(markdown, 'Runtime').toSorted()).toEqual(names(dependencies))
    expect(documentedPackages(markdown, 'Optional').toSorted()).toEqual(names(optionalDependencies))
    expect(documentedPackages(markdown, 'Development').toSorted()).toEqual(names(devDependencies))
  })
})

describe('the checker', () => {
  const check = (...sources: [file: string, source: string][]): string[] =>
    violations(sources.map(([file, source]): SourceFile => readSource(file, source)))

  it.each([
    ['a zone that reaches up', 'src/base/a.ts', `import { x } from '../models/x.ts'`],
    ['a type-only import that reaches up', 'src/base/a.ts', `import type { X } from '../models/x.ts'`],
    ['an inline type import', 'src/base/a.ts', `export type Y = import('../models/x.ts').X`],
    ['a re-export', 'src/base/a.ts', `export const a = 1; export { x } from '../models/x.ts'`],
    ['a dynamic import', 'src/base/a.ts', `export const x = () => import('../models/x.ts')`],
    ['a side-effect import', 'src/base/a.ts', `import '../models/x.ts'`],
    ['neighbours', 'src/hardware/a.ts', `import { x } from '../models/x.ts'`],
    ['a value from planner to models', 'src/planner/a.ts', `import { x } from '../models/x.ts'`],
    ['the server reaching the engine', 'src/server/a.ts', `import { x } from '../engine/engine.ts'`],
    ['the page reaching the server', 'ui/src/a.tsx', `import { x } from '../../src/server/app.ts'`],
    ['the page using Node', 'ui/src/a.tsx', `import 'node:fs'`],
    ['a package in shared', 'src/shared/a.ts', `import { Hono } from 'hono'`],
    ['Node in shared', 'src/shared/a.ts', `import 'node:fs'`],
    ['the inside of the embedded engine', 'src/engine/registry.ts', `import { x } from './llama/worker.ts'`],
    ['the tests from the product', 'src/base/a.ts', `import { x } from '../../test/fixtures/x.ts'`],
    ['the environment', 'src/models/a.ts', `export const home = process.env['HOME']`],
    ['the environment by bracket', 'src/models/a.ts', `export const home = process['env'].HOME`],
    ['the console', 'src/models/a.ts', `console.log(1)`],
    ['process.exit', 'src/platform/a.ts', `process.exit(1)`],
    ['the environment by import', 'src/models/a.ts', `import { env } from 'node:process'`],
    ['fetch', 'src/platform/a.ts', `await fetch('/x')`],
    ['undici', 'src/platform/a.ts', `import { request } from 'undici'`],
    ['koffi', 'src/engine/llama/runner.ts', `import koffi from 'koffi'`],
    ['SQL', 'src/platform/a.ts', 'export const query = `SELECT id FROM users`'],
    ['a database', 'src/platform/a.ts', `import Database from 'libsql'`],
    ['a barrel', 'src/models/index.ts', `export * from './a.ts'; export { b } from './b.ts'`],
    ['a file that is too long', 'src/models/a.ts', '// line\n'.repeat(401)],
    ['a forbidden folder', 'src/base/utils/a.ts', 'export const a = 1'],
    ['a forbidden folder of tests', 'test/helpers/a.ts', 'export const a = 1'],
    ['a file name in another case', 'src/models/ModelFacts.ts', 'export const a = 1'],
  ])('finds %s', (_, file, source) => {
    expect(check([file, source])).toEqual([expect.stringMatching(new RegExp(`^${file}: `))])
  })

  it('finds cycles, also by types', () => {
    const cycle = check(
      ['src/base/a.ts', `import type { B } from './b.ts'`],
      ['src/base/b.ts', `import { c } from './c.ts'`],
      ['src/base/c.ts', `export type A = import('./a.ts').A`],
    )
    expect(cycle).toEqual(['src/base/a.ts: cycle src/base/a.ts → src/base/b.ts → src/base/c.ts → src/base/a.ts'])
  })

  it('lets pass what is allowed', () => {
    expect(
      check(
        ['src/planner/a.ts', `import type { ModelFacts } from '../models/model-facts.ts'; import { type Gpu } from '../hardware/gpu.ts'`],
        ['src/config/a.ts', 'export const env = process.env'],
        ['src/cli/output.ts', 'console.log(1)'],
        ['src/engine/llama/worker.ts', 'process.exit(0)'],
        ['src/engine/llama/binding-structs.ts', `import koffi from 'koffi'`],
        ['src/engine/registry.ts', `import { createLlamaEngine } from './llama/engine.ts'`],
        ['src/platform/a.ts', `import { b } from '../engine/engine.ts'; /* process.env, fetch() */ export const text = 'console.log'`],
        ['ui/src/app.tsx', `import { routes } from '../../src/shared/routes.ts'; import { useState } from 'react'`],
        ['src/base/a.test.ts', `import { x } from '../../test/fixtures/x.ts'; process.env['X'] = '1'`],
      ),
    ).toEqual([])
  })

  it('reads the package names of a documentation table', () => {
    const markdown =
      '# Dependencies\n## Runtime\n| package | why |\n|---|---|\n| `zod` | `schemas` |\n| `@a/b`, `c` | x |\n## Development\n| `d` | y |\n'
    expect(documentedPackages(markdown, 'Runtime')).toEqual(['zod', '@a/b', 'c'])
    expect(documentedPackages(markdown, 'Development')).toEqual(['d'])
  })
})
