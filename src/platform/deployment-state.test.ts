import { expect, it } from 'vitest'
import { DEPLOYMENT_STATES } from '../shared/api.ts'
import { DEPLOYMENT_EVENTS, nextState } from './deployment-state.ts'

it('every state can be left, and every state can be reached from stopped', () => {
  const reached = new Set<string>(['stopped'])
  for (let round = 0; round < DEPLOYMENT_STATES.length; round += 1) {
    for (const state of DEPLOYMENT_STATES) {
      const next = DEPLOYMENT_EVENTS.map((event) => nextState(state, event)).filter((target) => target !== undefined)
      expect(next.length, state).toBeGreaterThan(0)
      if (reached.has(state)) for (const target of next) reached.add(target)
    }
  }
  expect([...reached].toSorted()).toEqual([...DEPLOYMENT_STATES].toSorted())
})

it('nothing but the end of draining leads from draining on', () => {
  const possible = DEPLOYMENT_EVENTS.filter((event) => nextState('draining', event))
  expect(possible).toEqual(['stopped'])
})
