import { expect, test } from 'vitest'
import { toXGrammar } from './gbnf-dialect.ts'

test('a dot becomes any character, and an empty alternative an empty text; literals, sets and comments stay', () => {
  expect(toXGrammar('root ::= .+ "." [.] # .')).toBe('root ::= [^\\u0000]+ "." [.] # .')
  expect(toXGrammar('ws ::= | " "\nb ::= ("a" | ) "|"\nc ::= "d" |\n  e')).toBe('ws ::= "" | " "\nb ::= ("a" | "" ) "|"\nc ::= "d" |\n  e')
  expect(toXGrammar('a ::= "x" |\nb ::= "y"')).toBe('a ::= "x" | ""\nb ::= "y"')
})

test('sets beyond ASCII become the bytes of their characters', () => {
  expect(toXGrammar('root ::= [a-z] [^a] [é-ê😀]')).toBe(
    'root ::= [a-z] [^a] ([\\xc3\\xc3][\\xa9-\\xaa] | [\\xf0\\xf0][\\x9f\\x9f][\\x98\\x98][\\x80\\x80])',
  )
})
