import fc from 'fast-check'
import { expect, test } from 'vitest'
import { AnswerRule } from './answer-rule.ts'
import type { AnswerRuleOptions, ThoughtSettings } from './answer-rule.ts'
import type { TokenRule } from './token-rule.ts'

const END = 0
/** A small vocabulary in which the tag is a token, and parts of it are too. */
const TEXTS = [
  '',
  '</think>',
  '</',
  'th',
  'ink',
  '>',
  '>{',
  '>\n',
  '<',
  '/',
  't',
  'hink',
  '{',
  '}',
  'a',
  '\n\n',
  ' ',
  '<think>',
  'think>x',
  '\ufffd',
  'h',
  'i',
  'n',
  'k',
  '\n',
]

function tokenize(text: string): number[] {
  const tokens: number[] = []
  for (let rest = text; rest !== '';) {
    const best = TEXTS.map((each, token) => ({ each, token }))
      .filter(({ each }) => each !== '' && rest.startsWith(each))
      .toSorted((a, b) => b.each.length - a.each.length)[0]
    if (!best) throw new Error(`no token for ${rest}`)
    tokens.push(best.token)
    rest = rest.slice(best.each.length)
  }
  return tokens
}

/** Only braces may come. */
function braces(): TokenRule & { seen: number[] } {
  const seen: number[] = []
  return {
    seen,
    forced: () => undefined,
    tryAccept: (token) => /^[{}]$/.test(TEXTS[token] ?? '') && seen.push(token) > 0,
    mask: (logits) => TEXTS.forEach((text, token) => !/^[{}]$/.test(text) && (logits[token] = Number.NEGATIVE_INFINITY)),
    close: () => {},
  }
}

function ruleOf(thought: Partial<ThoughtSettings>, answer?: TokenRule): AnswerRule {
  const options: AnswerRuleOptions = {
    thought: { open: '<think>', close: '</think>', forceClose: '\n\n</think>\n\n', isOpen: true, ...thought },
    answer,
    textOf: (token) => TEXTS[token] ?? '',
    tokenize,
    isEnd: (token) => token === END,
  }
  return new AnswerRule(options)
}

/** What a sampler does: the wish of the model, unless something must come; refused wishes are replaced by a brace. */
function write(rule: AnswerRule, wishes: readonly number[]): number[] {
  const written: number[] = []
  for (const wish of wishes) {
    const token = rule.forced() ?? (rule.tryAccept(wish) ? undefined : (rule.forced() ?? TEXTS.indexOf('{')))
    if (token !== undefined) expect(rule.tryAccept(token)).toBe(true)
    written.push(token ?? wish)
    if ((token ?? wish) === END) break
  }
  return written
}

const textOf = (tokens: readonly number[]): string => tokens.map((token) => TEXTS[token]).join('')

test('whatever the model writes, the answer is held from the first token after the close tag on, and never before', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat({ max: TEXTS.length - 1 }), { maxLength: 60 }),
      fc.option(fc.nat({ max: 20 }), { nil: undefined }),
      (wishes, budget) => {
        const answer = braces()
        const text = textOf(write(ruleOf({ budget }, answer), wishes))
        const at = text.indexOf('</think>')
        if (at < 0) expect(answer.seen).toEqual([])
        else expect(text.slice(at + '</think>'.length).trim()).toBe(textOf(answer.seen))
      },
    ),
    { numRuns: 1000 },
  )
})

test('a token that ends the tag and begins an answer is replaced by the rest of the tag alone', () => {
  const rule = ruleOf({}, braces())
  const wishes = ['a', '</', 'th', 'ink', '>{', '{'].map((text) => TEXTS.indexOf(text))
  expect(textOf(write(rule, wishes))).toBe('a</think>{')
})

test('a model that would end within its thought has to answer when an answer is owed, and may end when none is', () => {
  expect(textOf(write(ruleOf({}, braces()), [14, END, END, END, END]))).toBe('a\n\n</think>\n\n{')
  expect(write(ruleOf({}), [14, END])).toEqual([14, END])
})

test('a spent budget writes the close tag, and what was begun of it is not written twice', () => {
  const rule = ruleOf({ budget: 2 })
  expect(textOf(write(rule, [14, TEXTS.indexOf('</'), 14, 14, 14, 14, 14]))).toMatch(/^a<\/think>\n\na/)
  expect(rule.takeClosedBy()).toBe('budget')
  expect(rule.takeClosedBy()).toBeUndefined()
  expect(rule.isThinking).toBe(false)
})

test('a budget of nothing closes the thought at once, also one that the model opens itself', () => {
  expect(textOf(write(ruleOf({ budget: 0 }), [14, 14, 14, 14]))).toBe('\n\n</think>\n\na')
  expect(textOf(write(ruleOf({ budget: 0, isOpen: false }), [17, 14, 14, 14, 14]))).toBe('<think>\n\n</think>\n\na')
})

test('a thought is closed on demand, but not in the middle of a character, and only while one is open', () => {
  const rule = ruleOf({})
  write(rule, [14])
  expect(rule.closeThought()).toBe(true)
  expect(textOf(write(rule, [14, 14, 14]))).toBe('\n\n</think>\n\n')
  expect(rule.takeClosedBy()).toBe('asked')
  expect(rule.closeThought()).toBe(false)
  const half = ruleOf({ budget: 1 })
  expect(textOf(write(half, [19, 14, 14, 14, 14]))).toBe('\ufffda\n\n</think>\n\n')
})

test('an answer without a thought is held from its first token; a thought that the model opens itself is free', () => {
  const answer = braces()
  expect(textOf(write(ruleOf({ isOpen: false }, answer), [12, 14, 13]))).toBe('{{}')
  expect(textOf(write(ruleOf({ isOpen: false }, braces()), [17, 14, 1, 14, 13]))).toBe('<think>a</think>{}')
  const logits = new Float32Array(TEXTS.length)
  ruleOf({ isOpen: false }, braces()).mask(logits)
  expect([...logits.keys()].filter((token) => logits[token] === 0).map((token) => TEXTS[token])).toEqual(['{', '}', '<think>'])
})

test('an announcement of the answer is written for a model that closes its thought itself', () => {
  const thought = { forceClose: '</think> <th>a', introduction: ' <th>a' }
  expect(textOf(write(ruleOf(thought, braces()), [14, 1, 14, 14, 14, 14, 14, 12]))).toMatch(/^a<\/think> <th>a\{+$/)
  expect(textOf(write(ruleOf({ ...thought, budget: 1 }, braces()), [14, 14, 14, 14, 14, 12, 12, 12]))).toMatch(/^a<\/think> <th>a\{+$/)
})
