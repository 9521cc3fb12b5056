/** Runs a Jinja chat template (untrusted: it comes with the model file) with exactly the globals that templates are promised. */
import { Environment, Interpreter, parse, tokenize } from '@huggingface/jinja'

/** Bytes of UTF-8; the longest templates in the wild are under 30 KiB. */
export const MAX_TEMPLATE_BYTES = 256 * 1024
/** `range()` of chat templates counts messages or tools, never more. */
const MAX_RANGE = 10_000

/** The template called `raise_exception`: it does not accept this conversation. */
export class TemplateRefusal extends Error {}

type Program = ReturnType<typeof parse>

/** Parsed templates, newest last: a deployment has one, so two are plenty. */
const parsed = new Map<string, Program>()
const MAX_PARSED = 2

/**
 * Renders `template` with `variables`. Variables cannot replace the globals (`raise_exception`, `range`, `strftime_now`, constants).
 * Throws TemplateRefusal for `raise_exception`, and an Error with the reason for anything else, also for a text longer than `maxLength`
 * (UTF-16 units). Endless loops are not caught here: run untrusted templates in the template thread.
 */
export function runTemplate(template: string, variables: Record<string, unknown>, options: { now: Date; maxLength: number }): string {
  const environment = new Environment()
  const globals = templateGlobals(options.now)
  for (const [name, value] of Object.entries(globals)) environment.set(name, value)
  for (const [name, value] of Object.entries(variables)) if (!Object.hasOwn(globals, name)) environment.set(name, value)
  const { value } = new Interpreter(environment).run(parseTemplate(template))
  if (typeof value !== 'string') throw new Error('the template gives no text')
  if (value.length > options.maxLength) throw new Error(`the rendered text has ${value.length} characters, more than ${options.maxLength}`)
  return value
}

function parseTemplate(template: string): Program {
  const known = parsed.get(template)
  if (known) return known
  if (Buffer.byteLength(template) > MAX_TEMPLATE_BYTES) throw new Error(`the template is larger than ${MAX_TEMPLATE_BYTES} bytes`)
  const program = parse(tokenize(template, { lstrip_blocks: true, trim_blocks: true }))
  parsed.set(template, program)
  for (const old of parsed.keys()) if (parsed.size > MAX_PARSED) parsed.delete(old)
  return program
}

function templateGlobals(now: Date): Record<string, unknown> {
  return {
    true: true,
    True: true,
    false: false,
    False: false,
    none: null,
    None: null,
    raise_exception: (reason: unknown) => {
      throw new TemplateRefusal(typeof reason === 'string' ? reason : 'no reason given')
    },
    range: boundedRange,
    strftime_now: (format: unknown) => formatDate(now, typeof format === 'string' ? format : ''),
  }
}

/** Python's `range`, refusing more than MAX_RANGE items before it makes them. */
function boundedRange(first: number, second?: number, step = 1): number[] {
  const [start, stop] = second === undefined ? [0, first] : [first, second]
  const count = Math.max(0, Math.ceil((stop - start) / step))
  if (!Number.isFinite(count) || count > MAX_RANGE) throw new Error(`range() of more than ${MAX_RANGE} items`)
  return Array.from({ length: count }, (_, index) => start + index * step)
}

const MONTHS = 'January February March April May June July August September October November December'.split(' ')
const DAYS = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ')

/** Python's `strftime` in the C locale (always English: prompts must not depend on the machine's language), local time. */
export function formatDate(date: Date, format: string): string {
  const month = MONTHS[date.getMonth()] ?? ''
  const day = DAYS[date.getDay()] ?? ''
  const two = (value: number): string => String(value).padStart(2, '0')
  const fields: Record<string, string> = {
    Y: String(date.getFullYear()),
    y: two(date.getFullYear() % 100),
    m: two(date.getMonth() + 1),
    d: two(date.getDate()),
    e: String(date.getDate()).padStart(2, ' '),
    b: month.slice(0, 3),
    B: month,
    a: day.slice(0, 3),
    A: day,
    H: two(date.getHours()),
    I: two(date.getHours() % 12 || 12),
    p: date.getHours() < 12 ? 'AM' : 'PM',
    M: two(date.getMinutes()),
    S: two(date.getSeconds()),
    '%': '%',
  }
  // `%-d` and `%#d` are the common extensions for "no leading zero".
  return format.replace(/%([-#]?)([A-Za-z%])/g, (whole, flag: string, code: string) => {
    const value = Object.hasOwn(fields, code) ? fields[code] : undefined
    if (value === undefined) return whole
    return flag ? value.replace(/^[0 ](?=.)/, '') : value
  })
}
