import { expect, test } from 'vitest'
import { toXGrammar } from './gbnf-dialect.ts'

test('a dot becomes any character, and an empty alternative an empty text; literals, sets and comments stay', () => {
  expect(toXGrammar('root ::= .+ "." [.] # .')).toBe('root ::= [^\\u0000]+ "." [.] # .')
  expect(toXGrammar('ws ::= | " "\nb ::= ("a" | ) "|"\nc ::= "d" |\n  e')).toBe('ws ::= "" | " "\nb ::= ("a" | "" ) "|"\nc ::= "d" |\n  e')
  expect(toXGrammar('a ::= "x" |\nb ::= "y"')).toBe('a ::= "x" | ""\nb ::= "y"')
})
