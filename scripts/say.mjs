/** What the scripts tell: on stderr, in English or Chinese. Dependency-free, since nothing may be installed yet. */
const chinese = /^zh/i.test(process.env.LC_ALL || process.env.LC_MESSAGES || process.env.LANG || '')

/** @param {{ en: string, zh: string }} text */
export function say({ en, zh }) {
  process.stderr.write(`${chinese ? zh : en}\n`)
}
