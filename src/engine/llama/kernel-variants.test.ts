import { describe, expect, test } from 'vitest'
import { parseCpuFlags, planProbe } from './kernel-variants.ts'

const X64 =
  'alderlake cannonlake cascadelake cooperlake haswell icelake ivybridge piledriver sandybridge sapphirerapids skylakex sse42 x64 zen4'.split(
    ' ',
  )
const ARM = ['armv8.0_1', 'armv8.2_1', 'armv8.2_2', 'armv8.2_3', 'armv8.6_1', 'armv8.6_2', 'armv9.2_1', 'armv9.2_2']
const ZEN3 = 'fpu sse4_1 sse4_2 avx f16c fma avx2 bmi1 bmi2 aes'
const SAPPHIRE_RAPIDS = `${ZEN3} avx_vnni avx512f avx512cd avx512vl avx512dq avx512bw avx512vbmi avx512_vnni avx512_bf16 amx_tile amx_int8`

const flagsOf = (text: string): ReadonlySet<string> => new Set(text.split(' '))

describe('planProbe', () => {
  test('without AVX-512 only the best variant is measured, older ones when it fails', () => {
    const { first, rest } = planProbe(X64, flagsOf(ZEN3))
    expect(first).toEqual(['haswell'])
    expect(rest).toEqual(['piledriver', 'ivybridge', 'sandybridge', 'sse42', 'x64'])
  })

  test('with AVX-512 and AMX the doubtful ones are measured against a sound one, AMX last', () => {
    const { first, rest } = planProbe(X64, flagsOf(SAPPHIRE_RAPIDS))
    expect(first).toContain('zen4')
    expect(first).toContain('icelake')
    expect(first).toContain('alderlake')
    expect(first.at(-1)).toBe('sapphirerapids')
    expect(first.length).toBeLessThanOrEqual(6)
    expect([...first, ...rest].toSorted()).toEqual(X64.toSorted())
  })

  test('on ARM the vector extensions are measured too, and every machine has a plain one left', () => {
    const { first, rest } = planProbe(ARM, flagsOf('fp asimd asimddp asimdhp sve i8mm'))
    expect(first[0]).toBe('armv8.6_1')
    expect(first).toContain('armv8.2_2')
    expect(rest).toContain('armv8.0_1')
  })

  test('without known flags every variant is measured, the most able first', () => {
    const { first } = planProbe(['apple_m1', 'apple_m4', 'apple_m2_m3'], undefined)
    expect(first.toSorted()).toEqual(['apple_m1', 'apple_m2_m3', 'apple_m4'])
  })
})

test('parseCpuFlags reads x86 and ARM, and says when there are none', () => {
  expect(parseCpuFlags('processor : 0\nflags\t\t: fpu avx2\n\nprocessor : 1\nflags : other')).toEqual(new Set(['fpu', 'avx2']))
  expect(parseCpuFlags('Features\t: fp asimd sve')).toEqual(new Set(['fp', 'asimd', 'sve']))
  expect(parseCpuFlags('')).toBeUndefined()
})
