import { expect, it } from 'vitest'
import { splitCommandLine } from './split-command-line.ts'

it.each([
  [[], { rest: [] }],
  [['--port', '9000', '--no-open'], { rest: ['--port', '9000', '--no-open'] }],
  [['list', '--json'], { name: 'list', rest: ['--json'] }],
  [['--lang', 'zh', 'list'], { name: 'list', rest: ['--lang', 'zh'] }],
  [['--lang=zh', '--json', '--offline', 'ps'], { name: 'ps', rest: ['--lang=zh', '--json', '--offline'] }],
  [['--home', '/x'], { rest: ['--home', '/x'] }],
  [['-h'], { name: '--help', rest: [] }],
  [['--lang', 'zh', '--help'], { name: '--help', rest: ['--lang', 'zh'] }],
  [['run', '--help'], { name: 'run', rest: ['--help'] }],
])('%j is split into %j', (argv, expected) => {
  expect(splitCommandLine(argv)).toEqual(expected)
})
