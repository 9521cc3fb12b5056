/** What the CPU kernel variants of libllama need, and which are worth measuring on a machine. Pure. */

const AVX2 = ['sse4_2', 'avx', 'f16c', 'fma', 'avx2', 'bmi2']
const AVX512 = [...AVX2, 'avx512f', 'avx512cd', 'avx512vl', 'avx512dq', 'avx512bw']

/** CPU flags as /proc/cpuinfo names them. From ggml/src/CMakeLists.txt (ggml_add_cpu_backend_variant) of the pinned version. */
const NEEDS: Readonly<Record<string, readonly string[]>> = {
  x64: [],
  sse42: ['sse4_2'],
  sandybridge: ['sse4_2', 'avx'],
  ivybridge: ['sse4_2', 'avx', 'f16c'],
  piledriver: ['sse4_2', 'avx', 'f16c', 'fma'],
  haswell: AVX2,
  alderlake: [...AVX2, 'avx_vnni'],
  skylakex: AVX512,
  cannonlake: [...AVX512, 'avx512vbmi'],
  cascadelake: [...AVX512, 'avx512_vnni'],
  icelake: [...AVX512, 'avx512vbmi', 'avx512_vnni'],
  cooperlake: [...AVX512, 'avx512_vnni', 'avx512_bf16'],
  zen4: [...AVX512, 'avx512vbmi', 'avx512_vnni', 'avx512_bf16'],
  sapphirerapids: [...AVX512, 'avx512vbmi', 'avx512_vnni', 'avx512_bf16', 'amx_tile', 'amx_int8'],
  'armv8.0_1': [],
  'armv8.2_1': ['asimddp'],
  'armv8.2_2': ['asimddp', 'asimdhp'],
  'armv8.2_3': ['asimddp', 'asimdhp', 'sve'],
  'armv8.6_1': ['asimddp', 'asimdhp', 'sve', 'i8mm'],
  'armv8.6_2': ['asimddp', 'asimdhp', 'sve', 'i8mm', 'sve2'],
  'armv9.2_1': ['asimddp', 'asimdhp', 'sve', 'i8mm', 'sme'],
  'armv9.2_2': ['asimddp', 'asimdhp', 'sve', 'i8mm', 'sve2', 'sme'],
  apple_m1: ['asimddp'],
  apple_m2_m3: ['asimddp', 'i8mm'],
  apple_m4: ['asimddp', 'i8mm', 'sme'],
}

/** Instructions that a virtual machine may offer and yet run slowly or not at all; wider is not always faster with them. */
const DOUBTFUL = ['avx512f', 'amx_int8', 'sve', 'sme']
/** Measured first at most; more only when none of them works. */
const MEASURED = 4

/** Flags of the first processor in the text of /proc/cpuinfo (`flags` on x86, `Features` on ARM); undefined when there are none. */
export function parseCpuFlags(cpuinfo: string): ReadonlySet<string> | undefined {
  const line = /^(?:flags|Features)\s*:\s*(?<list>.+)$/m.exec(cpuinfo)?.groups?.['list']
  return line === undefined ? undefined : new Set(line.trim().split(/\s+/))
}

/**
 * The variants in the order in which to measure them: `first` all, `rest` only while none works.
 * A variant is worth measuring when no other does all it does with instructions beyond doubt; tile instructions (AMX) come last,
 * since they are the ones that hang. Without known flags every variant counts: libllama refuses those the CPU does not have.
 */
export function planProbe(variants: readonly string[], flags: ReadonlySet<string> | undefined): { first: string[]; rest: string[] } {
  const usable = variants.filter((variant) => !flags || needsOf(variant).every((need) => flags.has(need)))
  const byPower = usable.toSorted((a, b) => needsOf(b).length - needsOf(a).length || a.localeCompare(b))
  const best = flags ? byPower.filter((variant) => !byPower.some((other) => surpasses(other, variant))) : byPower
  const [doubtful, sound] = [best.filter((variant) => isDoubtful(variant)), best.filter((variant) => !isDoubtful(variant))]
  const tiles = doubtful.filter((variant) => needsOf(variant).includes('amx_int8'))
  const wide = doubtful.filter((variant) => !tiles.includes(variant)).slice(0, flags ? MEASURED - 1 : undefined)
  const first = [...wide, ...sound.slice(0, flags ? 2 : undefined), ...tiles]
  return { first, rest: byPower.filter((variant) => !first.includes(variant)) }
}

function surpasses(other: string, variant: string): boolean {
  const needs = needsOf(other)
  return (
    other !== variant &&
    !isDoubtful(other) &&
    needs.length > needsOf(variant).length &&
    needsOf(variant).every((need) => needs.includes(need))
  )
}

function isDoubtful(variant: string): boolean {
  return DOUBTFUL.some((flag) => needsOf(variant).includes(flag))
}

function needsOf(variant: string): readonly string[] {
  return NEEDS[variant] ?? []
}
