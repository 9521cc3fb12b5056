import { createInterface } from 'node:readline'
import { AppError } from '../../shared/errors.ts'
import type { Localized } from '../../shared/language.ts'
import { PLAN_TASKS, PlanRequestSchema, RecommendRequestSchema } from '../../shared/plan.ts'
import type { PlanRequest, RecommendRequest } from '../../shared/plan.ts'
import { NETWORK_SETTINGS, defineCommand } from '../command.ts'
import type { CommandContext } from '../command.ts'
import { connect } from '../connect.ts'
import { EXIT } from '../exit-codes.ts'
import { printR1Table, printRecommendation } from '../plan-recommendation-text.ts'
import { printPlan } from '../plan-text.ts'

export const plan = defineCommand({
  name: 'plan',
  summary: {
    en: 'What fits: a model here or on a described machine, or the best model for a purpose',
    zh: '规划：模型能否放下、多快，或推荐合适的模型',
  },
  positionals: [
    {
      name: 'REF',
      description: { en: 'The model; without it models are recommended', zh: '模型；不写则推荐模型' },
    },
  ],
  flags: {
    context: { type: 'tokens', value: 'TOKENS', description: { en: 'Tokens of one user', zh: '每个用户的 token 数' } },
    users: { type: 'number', value: 'N', description: { en: 'Users at once', zh: '同时使用的人数' } },
    kv: {
      type: 'text',
      value: 'TYPE',
      description: {
        en: 'KV cache: f16, q8_0, q4_0; bf16, fp8 for vllm and sglang',
        zh: 'KV 缓存格式：f16、q8_0、q4_0；vllm/sglang 用 bf16、fp8',
      },
    },
    kvLayout: { type: 'text', value: 'LAYOUT', description: { en: 'KV cache: split or unified', zh: 'KV 缓存布局：split 或 unified' } },
    engine: { type: 'text', value: 'NAME', description: { en: 'llama, vllm or sglang', zh: 'llama、vllm 或 sglang' } },
    quant: {
      type: 'text',
      value: 'TYPE',
      description: { en: 'Another quantisation, e.g. Q4_K_M, FP8, AWQ', zh: '按另一种量化规划，如 Q4_K_M、FP8、AWQ' },
    },
    gpu: {
      type: 'text',
      value: 'CARDS',
      description: { en: 'Other cards: 4090, 8xH20-96G, NAME-48G@900GB/s, none', zh: '指定显卡：4090、8xH20-96G、名称-48G@900GB/s、none' },
    },
    ram: { type: 'text', value: 'SIZE', description: { en: 'Other memory: 64G, 512G@460GB/s', zh: '指定内存：64G、512G@460GB/s' } },
    draft: { type: 'boolean', description: { en: 'With multi-token-prediction weights', zh: '加载多 token 预测权重' } },
    explain: { type: 'boolean', description: { en: 'Each term with its numbers and source', zh: '列出每一项的公式、数字和来源' } },
    table: {
      type: 'text',
      value: 'NAME',
      description: { en: 'r1: the whole R1 family, and common errors', zh: 'r1：R1 全系列对照表与常见误区' },
    },
    for: {
      type: 'text',
      value: 'TASK',
      description: { en: 'Recommend for: chat, code, math, reasoning, documents', zh: '推荐用途：chat、code、math、reasoning、documents' },
    },
    languages: { type: 'text', value: 'LIST', description: { en: 'Languages that count, e.g. zh,en', zh: '需要的语言，如 zh,en' } },
  },
  settings: ['host', 'port', ...NETWORK_SETTINGS],
  examples: [
    'bendi plan deepseek-r1:7b --gpu 4060',
    'bendi plan DeepSeek-R1 --gpu 8xH20-96G --users 8 --explain',
    'bendi plan --for code --users 4',
    'bendi plan --table r1',
  ],
  async run(context) {
    const { output, flags, positionals } = context
    if (flags.table !== undefined) return printTable(flags.table, context)
    const { gpu, ram, users, context: tokens, for: task, languages } = flags
    const model = positionals['REF']
    refuseOthers(flags, model === undefined)
    if (model !== undefined) return planOne(given({ ...flags, context: tokens, model }), context)
    const wishes = given({ gpu, ram, users, context: tokens, for: task, languages })
    const asks = Object.keys(wishes).length === 0 && !output.json && context.io.isTty.stdin && context.io.isTty.stdout
    return recommendModels(asks ? await askWishes(context) : wishes, context)
  },
})

/** What is only for one model, and what is only for recommendations. */
const FOR_ONE = ['kv', 'kvLayout', 'engine', 'quant', 'draft', 'explain'] as const
const FOR_MANY = ['for', 'languages'] as const

/** A flag that would change nothing is a misunderstanding. Throws `invalid-field`. */
function refuseOthers(flags: Readonly<Record<string, unknown>>, recommends: boolean): void {
  const wrong = (recommends ? FOR_ONE : FOR_MANY).find((name) => flags[name] !== undefined && flags[name] !== false)
  if (wrong === undefined) return
  const reason = recommends ? 'it is for one model; write bendi plan REF' : 'it is for recommendations; leave the model out'
  throw new AppError('invalid-field', { field: `--${flagName(wrong)}`, reason })
}

function printTable(name: string, { output }: CommandContext): number {
  if (name.toLowerCase() !== 'r1') throw new AppError('invalid-field', { field: 'table', reason: `"${name}" is not r1` })
  printR1Table(output)
  return EXIT.ok
}

async function planOne(values: Record<string, unknown>, context: CommandContext): Promise<number> {
  const { table: _table, explain, for: _for, languages: _languages, ...rest } = values
  const request = parsed<PlanRequest>(PlanRequestSchema, rest)
  const { output, io, signal } = context
  const backend = await connect(context, 'read')
  try {
    const report = await backend.plan(request, signal)
    output.result(report)
    if (!output.json) printPlan(report, output, io.columns(), explain === true)
    return report.fits ? EXIT.ok : EXIT.userError
  } finally {
    await backend.close()
  }
}

async function recommendModels(values: Record<string, unknown>, context: CommandContext): Promise<number> {
  const request = parsed<RecommendRequest>(RecommendRequestSchema, values)
  const { output } = context
  const backend = await connect(context, 'read')
  try {
    const report = await backend.recommend(request)
    output.result(report)
    if (!output.json) printRecommendation(report, output)
    return report.instead ? EXIT.userError : EXIT.ok
  } finally {
    await backend.close()
  }
}

interface Schema {
  safeParse(
    value: unknown,
  ): { success: true; data: unknown } | { success: false; error: { issues: readonly { path: readonly PropertyKey[]; message: string }[] } }
}

/** Throws `invalid-field` with the name of the flag. */
function parsed<T>(schema: Schema, values: Record<string, unknown>): T {
  const result = schema.safeParse(values)
  if (result.success) return result.data as T
  const [issue] = result.error.issues
  throw new AppError('invalid-field', {
    field: `--${flagName(String(issue?.path[0] ?? 'plan'))}`,
    reason: issue?.message ?? 'it cannot be used',
  })
}

/** `kvLayout` → `kv-layout`. */
function flagName(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

function given(values: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
}

const QUESTIONS: readonly { key: 'for' | 'languages' | 'users' | 'context'; text: Localized; usual: string }[] = [
  { key: 'for', text: { en: `What for (${PLAN_TASKS.join(', ')})?`, zh: `用途（${PLAN_TASKS.join('、')}）？` }, usual: 'chat' },
  { key: 'languages', text: { en: 'Which languages (e.g. zh,en)?', zh: '使用哪些语言（如 zh,en）？' }, usual: 'en' },
  { key: 'users', text: { en: 'How many users at once?', zh: '同时多少人使用？' }, usual: '1' },
  { key: 'context', text: { en: 'How many tokens of context?', zh: '上下文需要多少 token？' }, usual: '8192' },
]

/** An empty answer takes the usual one. Throws `cancelled` when the input ends before. */
async function askWishes({ io, output, signal }: CommandContext): Promise<Record<string, string>> {
  const lines = createInterface({ input: io.stdin, signal })
  const answers: Record<string, string> = {}
  let asked = 0
  const ask = (): void => {
    const question = QUESTIONS[asked]
    if (question) output.status(`${output.say(question.text)} [${question.usual}] `)
  }
  ask()
  for await (const line of lines) {
    const question = QUESTIONS[asked]
    if (!question) break
    answers[question.key] = line.trim() === '' ? question.usual : line.trim()
    asked += 1
    if (asked === QUESTIONS.length) break
    ask()
  }
  lines.close()
  if (asked < QUESTIONS.length) throw new AppError('cancelled')
  return answers
}
