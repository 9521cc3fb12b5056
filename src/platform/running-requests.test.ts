import { expect, test } from 'vitest'
import { ManualEngine } from '../../test/fakes/manual-engine.ts'
import { RunningRequests } from './running-requests.ts'

test('a running request is asked at its own engine, and not any more when it has ended', async () => {
  const running = new RunningRequests()
  const [first, second] = [new ManualEngine(), new ManualEngine()]
  const forget = running.add('a', first)
  running.add('b', second)
  expect(await running.closeThought('a')).toBe(true)
  expect(first.closedThoughts).toEqual(['a'])
  expect(second.closedThoughts).toEqual([])
  forget()
  expect(await running.closeThought('a')).toBe(false)
  expect(await running.closeThought('c')).toBe(false)
})

test('of two requests with one id the later is meant, and the end of the first does not end that', async () => {
  const running = new RunningRequests()
  const [first, second] = [new ManualEngine(), new ManualEngine()]
  const forget = running.add('a', first)
  running.add('a', second)
  forget()
  expect(await running.closeThought('a')).toBe(true)
  expect(second.closedThoughts).toEqual(['a'])
})
