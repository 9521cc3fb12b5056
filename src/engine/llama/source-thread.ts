/** Threads of our own files: the compiled `.js`, or the `.ts` through tsx when this runs from source (tests, `npm run dev`). */
import { Worker, type WorkerOptions } from 'node:worker_threads'

/** `entry`: the file's name in this folder, without its ending. The thread sees no environment variables. */
export function startSourceThread(entry: string, options: Omit<WorkerOptions, 'env' | 'execArgv' | 'eval'>): Worker {
  const all: WorkerOptions = { ...options, env: {}, execArgv: [] }
  if (!import.meta.url.endsWith('.ts')) return new Worker(new URL(`./${entry}.js`, import.meta.url), all)
  // A thread's entry is not seen by loaders of `--import` (Node 20), so tsx is registered from inside.
  const tsx = import.meta.resolve('tsx/esm/api')
  const source = new URL(`./${entry}.ts`, import.meta.url).href
  const bootstrap = `import(${JSON.stringify(tsx)}).then((api) => { api.register(); return import(${JSON.stringify(source)}) })`
  return new Worker(bootstrap, { ...all, eval: true })
}
