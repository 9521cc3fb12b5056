/** Installs what package-lock.json names when node_modules is missing or does not match it. Uses only Node itself. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { root, runNpm } from './run.mjs'
import { say } from './say.mjs'

const lockFile = path.join(root, 'package-lock.json')
const installedFile = path.join(root, 'node_modules', '.package-lock.json')
const stampFile = path.join(root, 'node_modules', '.bendi-installed')

/** Ends the process with npm's exit code when installing fails. */
export async function ensureInstalled() {
  requireNode()
  const wanted = createHash('sha256').update(readFileSync(lockFile)).digest('hex')
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === wanted) return
  if (!matchesLock()) await install()
  writeFileSync(stampFile, wanted)
}

function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > 20 || (major === 20 && minor >= 19)) return
  say({
    en: `bendi needs Node.js 20.19 or newer; this is ${process.versions.node}.`,
    zh: `需要 Node.js 20.19 或更高版本，当前为 ${process.versions.node}。`,
  })
  process.exit(1)
}

/** Somebody may have run npm by hand: compare what npm wrote down as installed with what the lock file asks for. */
function matchesLock() {
  if (!existsSync(installedFile)) return false
  const wanted = JSON.parse(readFileSync(lockFile, 'utf8')).packages
  const installed = JSON.parse(readFileSync(installedFile, 'utf8')).packages
  return Object.entries(wanted).every(([place, { version, optional, peer }]) => {
    if (place === '') return true
    const found = installed[place]?.version
    // Packages of other systems are never installed.
    return found === version || (found === undefined && Boolean(optional || peer))
  })
}

async function install() {
  say({ en: 'Installing dependencies (npm install) …', zh: '正在安装依赖（npm install）……' })
  // Not `npm ci`: it refuses a lock file made where the registry lacks other systems' optional packages. This one keeps to the lock file, too.
  // Building needs the development tools, also where NODE_ENV says production.
  const code = await runNpm(['install', '--no-save', '--include=dev', '--include=optional', '--no-audit', '--no-fund'])
  if (code === 0) return
  say({
    en: 'Installing failed. Behind a proxy or with a mirror, tell npm: npm config set proxy URL, npm config set registry URL; then try again.',
    zh: '安装失败。若使用代理或镜像，请先设置：npm config set proxy URL、npm config set registry URL，然后重试。',
  })
  process.exit(code)
}
