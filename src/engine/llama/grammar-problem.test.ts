import { expect, test } from 'vitest'
import { findGrammarProblem } from './grammar-problem.ts'

test('a grammar that libllama would not survive, or would take for none, is refused before', () => {
  expect(findGrammarProblem(' \n')).toBe('it is empty')
  expect(findGrammarProblem('root ::= "\0"')).toMatch(/NUL/)
  expect(findGrammarProblem(`root ::= ${'('.repeat(300)}"a"${')'.repeat(300)}`)).toMatch(/nests/)
  expect(findGrammarProblem('x'.repeat(2 ** 18 + 1))).toMatch(/larger/)
  expect(findGrammarProblem('root ::= ("a" | "b")+')).toBeUndefined()
})

test('a grammar is refused when libllama would not finish with it', () => {
  expect(findGrammarProblem('root ::= ("a"{1000}){1000}')).toMatch(/written out/)
  expect(findGrammarProblem('root ::= x{1000}\nx ::= y{1000}\ny ::= "a"')).toMatch(/written out/)
  expect(findGrammarProblem('root ::= ("a"?){100}')).toMatch(/optional/)
  expect(findGrammarProblem('root ::= ("a"* "b"*){60}')).toMatch(/optional/)
  expect(findGrammarProblem('root ::= "a"{0,100}')).toMatch(/optional/)
})

test('brackets, bars and braces within literals, sets and comments count for nothing', () => {
  expect(findGrammarProblem(`root ::= "${'('.repeat(300)}" [(((]+ # {9,999999}\n`)).toBeUndefined()
  expect(findGrammarProblem('root ::= "a{1000}{1000}{1000}" [0-9]{4}')).toBeUndefined()
})

test('a rule that refers to itself is not taken for endless', () => {
  expect(findGrammarProblem('root ::= "a" root | "b"\nx ::= root root')).toBeUndefined()
})
