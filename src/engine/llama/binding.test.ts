import { describe, expect, test } from 'vitest'
import { loadBinding } from './binding.ts'
import { EXPECTED_DEFAULTS, findMismatch } from './binding-structs.ts'
import { findNativePackage } from './native-package.ts'

describe('loadBinding', () => {
  test("loads this machine's library and lists its processor", () => {
    const nativePackage = findNativePackage()
    const kernel = nativePackage.cpuVariants.includes('x64') ? 'x64' : nativePackage.cpuVariants[0]
    const binding = loadBinding({ package: nativePackage, ...(kernel ? { kernel } : {}) })
    expect(binding.devices.some((device) => device.type === 'cpu' && device.totalBytes > 0)).toBe(true)
    expect(Object.isFrozen(binding)).toBe(true)
  })

  test('an unknown kernel, or a missing library, is an engine-mismatch that names it', () => {
    const nativePackage = findNativePackage()
    expect(() => loadBinding({ package: nativePackage, kernel: 'pentium' })).toThrow(/pentium/)
    const libraries = { ...nativePackage.libraries, llama: '/nowhere/libllama.so' }
    expect(() => loadBinding({ package: { ...nativePackage, libraries } })).toThrow(/nowhere/)
  })
})

test('the self-check names the first field that reads wrong', () => {
  const shifted = { ...EXPECTED_DEFAULTS.context, n_ubatch: 2048 }
  expect(findMismatch(EXPECTED_DEFAULTS.context, shifted)).toBe('n_ubatch reads 2048 instead of 512')
  expect(findMismatch(EXPECTED_DEFAULTS.context, { ...EXPECTED_DEFAULTS.context, more: 1 })).toBeUndefined()
})
