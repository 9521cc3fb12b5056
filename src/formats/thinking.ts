/** The request's wish about thinking → what a family's template or encoder is told. */
import type { AnswerDialect, DialectName } from './answer-dialect.ts'
import type { MessagesPrompt } from './template-source.ts'

export interface ThinkingChoice {
  /** Absent: the model's default. */
  enabled?: boolean
  /** In the family's own scale; absent when nothing was asked for or the family has none. */
  effort?: string | number
}

/** Efforts as levels between 0 and 100. Names that are used by OpenAI, DeepSeek and gpt-oss. */
const LEVELS: Record<string, number> = { minimal: 10, low: 25, medium: 50, high: 75, xhigh: 90, max: 100, maximum: 100 }
/** These mean "do not think". */
const NONE = new Set(['none', 'off', 'disabled'])

type Scale = readonly [upTo: number, value: string][]

const scales: Partial<Record<DialectName, Scale>> = {
  'gpt-oss': [
    [30, 'low'],
    [60, 'medium'],
    [100, 'high'],
  ],
}
/** Preview: `high` adds nothing, only `max` a text. */
const v4Preview: Scale = [
  [95, 'high'],
  [100, 'max'],
]
const v4Final: Scale = [
  [60, 'low'],
  [80, 'high'],
  [100, 'max'],
]
/** What V4.1's encoders make of the names; numbers pass as they are. */
const v41September: Record<string, number> = { minimal: 10, low: 25, medium: 40, high: 50, xhigh: 75, max: 100 }
const v41October: Record<string, number> = { minimal: 25, low: 50, medium: 60, high: 75, xhigh: 90, max: 100 }

/** What is asked for, in the family's own words. Unknown names of efforts count as the family's default. */
export function thinkingChoice(prompt: MessagesPrompt, dialect: AnswerDialect, name = ''): ThinkingChoice {
  const { enabled, effort } = prompt.thinking ?? {}
  const none = effort === 0 || (typeof effort === 'string' && NONE.has(effort.toLowerCase()))
  const on = none ? false : (enabled ?? (effort === undefined ? undefined : true))
  const own = none || effort === undefined ? undefined : ownEffort(effort, dialect.name, name)
  return { ...(on === undefined ? {} : { enabled: on }), ...(own === undefined ? {} : { effort: own }) }
}

/** The variables by which templates are switched; all spellings at once, since each template reads its own. */
export function thinkingVariables({ enabled, effort }: ThinkingChoice): Record<string, unknown> {
  return {
    ...(enabled === undefined ? {} : { enable_thinking: enabled, thinking: enabled }),
    ...(effort === undefined ? {} : { reasoning_effort: effort }),
  }
}

function ownEffort(effort: string | number, dialect: DialectName, name: string): string | number | undefined {
  const level = typeof effort === 'number' ? effort : LEVELS[effort.toLowerCase()]
  if (level === undefined || !Number.isFinite(level)) return undefined
  if (dialect === 'deepseek-v4.1') {
    const table = /1017/.test(name) ? v41October : v41September
    return Math.min(100, Math.max(1, Math.round(typeof effort === 'number' ? effort : (table[effort.toLowerCase()] ?? level))))
  }
  const scale = dialect === 'deepseek-v4' ? (isFinalV4(name) ? v4Final : v4Preview) : scales[dialect]
  // Templates of other families that know the word take OpenAI's names.
  if (!scale) return typeof effort === 'string' ? effort : level <= 30 ? 'low' : level <= 60 ? 'medium' : 'high'
  return scale.find(([upTo]) => level <= upTo)?.[1] ?? scale.at(-1)?.[1]
}

/** The general-availability releases of 0731 and 0813 know three levels. */
function isFinalV4(name: string): boolean {
  return /0731|0813/.test(name)
}

const UTMOST =
  'Reasoning Effort: Absolute maximum with no shortcuts permitted.\n' +
  'You MUST be very thorough in your thinking and comprehensively decompose the problem to resolve the root cause, rigorously stress-testing your logic against all potential paths, edge cases, and adversarial scenarios.\n' +
  'Explicitly write out your entire deliberation process, documenting every intermediate step, considered alternative, and rejected hypothesis to ensure absolutely no assumption is left unchecked.\n\n'
const BEYOND =
  'Reasoning Effort: Beyond maximum — exhaustive, relentless, and uncompromising.\n' +
  'You MUST reason with the utmost depth and rigor, leaving absolutely nothing to chance: exhaustively decompose the problem into its most fundamental components, trace every causal chain to its root, and resolve the underlying cause rather than any surface symptom.\n' +
  'Do not stop reasoning until you have independently verified the solution from multiple angles and are certain that no assumption remains unchecked and no error remains undiscovered.\n\n'

/** The text that V4's and V4.1's encoders put in front for an effort (only in thinking mode). */
export function effortText(dialect: DialectName, name = '', effort?: string | number): string {
  if (dialect === 'deepseek-v4.1') {
    const value = effort ?? (/1017/.test(name) ? v41October.high : v41September.high)
    return `Reasoning Effort: ${value} (range 1-100, the higher the value, the more thorough the reasoning)\n\n`
  }
  if (dialect !== 'deepseek-v4') return ''
  if (effort === 'max') return isFinalV4(name) ? BEYOND : UTMOST
  return effort === 'high' && isFinalV4(name) ? UTMOST : ''
}
