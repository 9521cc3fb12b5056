import { configDefaults, defineConfig } from 'vitest/config'

/** Real models, real servers, browsers and npm take the whole machine: one file after another, after everything else. */
const slow = ['test/e2e/**/*.test.ts', 'test/model/**/*.test.ts']
const fast = ['{src,scripts,bench}/**/*.test.ts', 'ui/**/*.test.{ts,tsx}', 'test/**/*.test.ts']

export default defineConfig({
  test: {
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 120_000,
    // A busy machine may take long for what is awaited.
    expect: { poll: { timeout: 15_000 } },
    projects: [
      {
        extends: true,
        test: { name: 'fast', include: fast, exclude: [...configDefaults.exclude, ...slow], maxWorkers: 2, sequence: { groupOrder: 0 } },
      },
      {
        extends: true,
        test: { name: 'slow', include: slow, testTimeout: 120_000, maxWorkers: 1, fileParallelism: false, sequence: { groupOrder: 1 } },
      },
    ],
  },
})
