/** Makes dist/ from src/ and ui/, only what is stale: `npm run build`, and before start, test and pack. `--force` makes all of it. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { ensureInstalled } from './ensure.mjs'
import { root, runNode, toolFile } from './run.mjs'
import { say } from './say.mjs'

const stampFile = path.join(root, 'dist', '.built.json')

const parts = [
  {
    name: 'server',
    inputs: ['src', 'tsconfig.base.json', 'package.json', 'package-lock.json'],
    output: 'dist/cli/main.js',
    label: { en: 'Compiling …', zh: '正在编译……' },
    make: async () => {
      const code = await runNode(toolFile('typescript', 'tsc'), ['-b', 'src'])
      if (code === 0) removeOrphans(path.join(root, 'dist'))
      return code
    },
  },
  {
    name: 'page',
    inputs: ['ui', 'src/shared', 'tsconfig.base.json', 'package-lock.json'],
    output: 'dist/ui/index.html',
    label: { en: 'Building the page …', zh: '正在构建网页……' },
    make: () => runNode(toolFile('vite', 'vite'), ['build', 'ui', '--logLevel', 'warn']),
  },
]

/** Resolves with 0, or the exit code of the tool that failed. */
export async function build({ force = false } = {}) {
  for (const part of parts) {
    const code = await buildPart(part, force)
    if (code !== 0) return code
  }
  return 0
}

async function buildPart(part, force) {
  if (part.name === 'page' && !existsSync(path.join(root, 'ui', 'vite.config.ts'))) return 0
  const inputs = hashFiles(part.inputs)
  if (!force && readStamp()[part.name] === inputs && existsSync(path.join(root, part.output))) return 0
  say(part.label)
  const code = await part.make()
  if (code !== 0) return code
  mkdirSync(path.dirname(stampFile), { recursive: true })
  writeFileSync(stampFile, JSON.stringify({ ...readStamp(), [part.name]: inputs }))
  return 0
}

function readStamp() {
  try {
    return JSON.parse(readFileSync(stampFile, 'utf8'))
  } catch {
    // Never built, or a torn write: build.
    return {}
  }
}

/** By content: a fresh clone or a checkout changes every time stamp. Tests are not part of what is built. */
function hashFiles(inputs) {
  const hash = createHash('sha256')
  for (const file of inputs.flatMap((input) => filesBelow(path.join(root, input))).toSorted()) {
    hash
      .update(`${path.relative(root, file)}\0`)
      .update(readFileSync(file))
      .update('\0')
  }
  return hash.digest('hex')
}

function filesBelow(place) {
  if (!existsSync(place)) return []
  const entries = readdirSync(path.dirname(place), { withFileTypes: true })
  if (entries.find((entry) => entry.name === path.basename(place))?.isFile()) return [place]
  return readdirSync(place, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && !/\.test\.tsx?$/.test(entry.name))
    .map((entry) => path.join(entry.parentPath, entry.name))
}

/** tsc leaves the output of files that are gone. */
function removeOrphans(dist) {
  for (const file of filesBelow(dist)) {
    const relative = path.relative(dist, file)
    if (!/\.(d\.ts|js)$/.test(relative) || /^(ui|\.types)[\\/]/.test(relative)) continue
    if (!existsSync(path.join(root, 'src', relative.replace(/\.(d\.ts|js)$/, '.ts')))) rmSync(file)
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await ensureInstalled()
  process.exitCode = await build({ force: process.argv.includes('--force') })
}
