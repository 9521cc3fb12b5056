import { expect, test } from 'vitest'
import { findGrammarProblem } from './sampler.ts'

test('a grammar that libllama would not survive, or would take for none, is refused before', () => {
  expect(findGrammarProblem(' \n')).toBe('it is empty')
  expect(findGrammarProblem('root ::= "\0"')).toMatch(/NUL/)
  expect(findGrammarProblem(`root ::= ${'('.repeat(300)}"a"${')'.repeat(300)}`)).toMatch(/nests/)
  expect(findGrammarProblem('x'.repeat(2 ** 18 + 1))).toMatch(/larger/)
  expect(findGrammarProblem('root ::= ("a" | "b")+')).toBeUndefined()
})
