import { expect, it } from 'vitest'
import { chooseKvShape } from './kv-shape.ts'
import { WorkerOptionsSchema } from './messages.ts'
import { workerOptions } from './worker-options.ts'

const optionsOf = (settings: Parameters<typeof workerOptions>[0]['settings']) =>
  WorkerOptionsSchema.parse(workerOptions({ file: 'm.gguf', settings, kvCacheFolder: 'kv' }, undefined))

it('gives a model without bytes for each token (recurrent) a window all the same', () => {
  const { kvBytes, kvBytesPerToken } = optionsOf({ kvBytes: 0, kvBytesPerToken: 0 })
  const shape = chooseKvShape({ window: 4096, parallel: 4, layout: 'auto', kvBytes, kvBytesPerToken, trainedContext: 1_000_000 })
  expect(shape).toMatchObject({ window: 4096, parallel: 4, layout: 'split' })
})

it('keeps what the plan says of any other', () => {
  expect(optionsOf({ kvBytes: 1e6, kvBytesPerToken: 100 })).toMatchObject({ kvBytes: 1e6, kvBytesPerToken: 100 })
})
