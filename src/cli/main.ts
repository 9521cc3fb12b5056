/** The entry of the command line. */
export async function main(argv: readonly string[]): Promise<void> {
  process.stderr.write(`bendi ${argv.join(' ')}\n`)
}
