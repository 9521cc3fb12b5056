/** What would make a model fit: each change is planned anew, so that only those are named that really help. Least loss first. */
import type { Localized } from '../shared/language.ts'
import type { PlanChange } from '../shared/plan.ts'
import { lacksFp8, runsFormat } from './card-formats.ts'
import { parseGpus } from './devices/parse-devices.ts'
import { largestContext, mostUsers } from './limits.ts'
import { describedMachine } from './machine.ts'
import type { Machine } from './machine.ts'
import { usedBytes } from './placement.ts'
import { situationOf } from './planner-situation.ts'
import type { Situation, Subject, Wishes } from './planner-situation.ts'
import { usualKv } from './wishes.ts'

/** Of each quantisation what is lost, on a scale where 1 is hardly measurable and 10 is easily seen (perplexities of llama.cpp's tables). */
const QUANTIZATION_LOSS: readonly (readonly [name: string, loss: number, text: Localized])[] = [
  ['Q8_0', 1, { en: 'hardly measurable', zh: '几乎无损' }],
  ['Q6_K', 1.5, { en: 'hardly measurable', zh: '几乎无损' }],
  ['Q5_K_M', 2.5, { en: 'small', zh: '损失很小' }],
  ['Q4_K_M', 4, { en: 'small; the usual choice', zh: '损失较小，常用选择' }],
  ['IQ4_XS', 4.5, { en: 'small', zh: '损失较小' }],
  ['Q3_K_M', 7, { en: 'noticeable', zh: '有可察觉的损失' }],
  ['IQ3_XXS', 8.5, { en: 'clear', zh: '损失明显' }],
  ['Q2_K', 11, { en: 'large; a smaller model is often better', zh: '损失大，往往不如换小模型' }],
  ['IQ2_M', 12, { en: 'large; a smaller model is often better', zh: '损失大，往往不如换小模型' }],
  ['IQ1_M', 16, { en: 'very large', zh: '损失极大' }],
]
/** … of what vLLM and SGLang load. */
const FOLDER_LOSS: typeof QUANTIZATION_LOSS = [
  ['FP8', 1, { en: 'hardly measurable', zh: '几乎无损' }],
  ['INT8', 1.5, { en: 'hardly measurable', zh: '几乎无损' }],
  ['AWQ', 4, { en: 'small', zh: '损失较小' }],
]

type Attempt = Omit<PlanChange, 'total'> & { wishes: Wishes }

/** Up to eight, of different kinds. */
export function changesThatFit(subject: Subject, wishes: Wishes): PlanChange[] {
  const single = attempts(subject, wishes).flatMap((attempt) => tried(subject, attempt))
  const combined = single.length > 0 ? [] : combinations(subject, wishes).flatMap((attempt) => tried(subject, attempt))
  const found = [...single, ...combined].toSorted((a, b) => a.rank - b.rank)
  // Of quantisations only the best that fits and the next are worth a line.
  const dropped = new Set(found.filter((change) => change.kind === 'quantization').slice(2))
  return [...found.filter((change) => !dropped.has(change)).slice(0, 7), ...hardwareChange(subject, wishes)]
}

function tried(subject: Subject, { wishes, ...change }: Attempt): PlanChange[] {
  const situation = situationOf(subject, wishes)
  return situation.placed.fits ? [{ ...change, total: totalBytes(situation) }] : []
}

export function totalBytes({ placed }: Situation): number {
  return placed.devices.reduce((sum, device) => sum + usedBytes(device), 0)
}

function attempts(subject: Subject, wishes: Wishes): Attempt[] {
  return [
    ...cacheAttempts(subject, wishes),
    ...shorterAttempts(subject, wishes),
    ...quantizationAttempts(subject, wishes),
    ...engineAttempts(subject, wishes),
  ]
}

function cacheAttempts({ kvModel, machine }: Subject, wishes: Wishes): Attempt[] {
  if (wishes.engine !== 'llama') {
    // The kernels of latent attention that read FP8 are made for cards that compute in it.
    if (wishes.kv === 'fp8' || (kvModel.isReplicated && lacksFp8(machine.gpus))) return []
    return [cacheAttempt(wishes, 'fp8', 1.2, { en: 'hardly measurable', zh: '几乎无损' })]
  }
  return [
    ...(wishes.kv === 'f16' || wishes.kv === 'bf16'
      ? [cacheAttempt(wishes, 'q8_0', 0.5, { en: 'hardly measurable', zh: '几乎无损' })]
      : []),
    ...(wishes.kv === 'q4_0' ? [] : [cacheAttempt(wishes, 'q4_0', 5, { en: 'noticeable in long contexts', zh: '长上下文时可察觉' })]),
  ]
}

function cacheAttempt(wishes: Wishes, kv: Wishes['kv'], rank: number, loss: Localized): Attempt {
  const change = { en: `KV cache in ${kv}`, zh: `KV 缓存改用 ${kv}` }
  return { kind: 'kv', change, loss, rank, request: { kv }, wishes: { ...wishes, kv } }
}

function shorterAttempts(subject: Subject, wishes: Wishes): Attempt[] {
  const found: Attempt[] = []
  const users = wishes.users > 1 ? mostUsers(subject, wishes) : 0
  if (users > 0 && users < wishes.users) {
    const change = { en: `${users} users at once instead of ${wishes.users}`, zh: `同时服务 ${users} 人（原 ${wishes.users} 人）` }
    const loss = { en: 'the others wait their turn', zh: '其余用户排队等候' }
    found.push({ kind: 'users', change, loss, rank: 2, request: { users }, wishes: { ...wishes, users } })
  }
  const context = largestContext(subject, wishes)
  if (context >= 1024 && context < wishes.context) {
    const change = {
      en: `context of ${context} tokens instead of ${wishes.context}`,
      zh: `上下文 ${context} token（原 ${wishes.context}）`,
    }
    const loss = { en: 'older text is forgotten sooner', zh: '更早遗忘前文' }
    found.push({
      kind: 'context',
      change,
      loss,
      rank: 1.5 + Math.log2(wishes.context / context),
      request: { context },
      wishes: { ...wishes, context },
    })
  }
  return found
}

function quantizationAttempts(subject: Subject, wishes: Wishes): Attempt[] {
  const table = quantizationsFor(subject, wishes)
  const now = situationOf(subject, wishes).weights.total
  return table.flatMap(([quantization, rank, loss]): Attempt[] => {
    const next = { ...wishes, quantization }
    if (situationOf(subject, next).weights.total >= now) return []
    const change = {
      en: `quantisation ${quantization} instead of ${wishes.quantization}`,
      zh: `量化改用 ${quantization}（原 ${wishes.quantization}）`,
    }
    return [{ kind: 'quantization', change, loss, rank, request: { quant: quantization }, wishes: next }]
  })
}

/** Those that the engine has kernels for on these cards. */
function quantizationsFor({ machine }: Subject, { engine }: Wishes): typeof QUANTIZATION_LOSS {
  return engine === 'llama' ? QUANTIZATION_LOSS : FOLDER_LOSS.filter(([name]) => runsFormat(machine.gpus, name))
}

/** llama.cpp can leave routed experts in ordinary memory; the others cannot. */
function engineAttempts(subject: Subject, wishes: Wishes): Attempt[] {
  if (wishes.engine === 'llama') return []
  const kv = wishes.kv === 'fp8' ? ('q8_0' as const) : ('f16' as const)
  return ['Q8_0', 'Q4_K_M'].map((name): Attempt => ({
    kind: 'engine',
    change: { en: `llama.cpp with ${name}, on the cards and in ordinary memory`, zh: `用 llama.cpp（${name}），显存与内存并用` },
    loss: { en: 'slower, above all for many users', zh: '速度变慢，多人同时使用时尤甚' },
    rank: name === 'Q8_0' ? 6 : 8,
    request: { engine: 'llama', quant: name, kv },
    wishes: { ...wishes, engine: 'llama', quantization: name, kv },
  }))
}

/** When no single change is enough: a smaller cache type with fewer bits, then a short window and one user too. */
function combinations(subject: Subject, wishes: Wishes): Attempt[] {
  const others = wishes.engine === 'llama' ? [] : combinations(subject, { ...wishes, engine: 'llama', kv: 'f16' }).map(onLlama)
  const small = wishes.engine === 'llama' ? ('q8_0' as const) : ('fp8' as const)
  const table = quantizationsFor(subject, wishes)
  const shortened = Math.min(wishes.context, 4096)
  const own = table.flatMap(([quantization, loss, text]): Attempt[] => {
    const both = { ...wishes, kv: small, quantization }
    const all = { ...both, context: shortened, users: 1 }
    if (situationOf(subject, both).weights.total >= situationOf(subject, wishes).weights.total) return []
    return [
      {
        kind: 'quantization',
        change: { en: `${quantization} and a KV cache in ${small}`, zh: `${quantization} 量化，KV 缓存用 ${small}` },
        loss: text,
        rank: loss + 0.5,
        request: { quant: quantization, kv: small },
        wishes: both,
      },
      {
        kind: 'quantization',
        change: {
          en: `${quantization}, a KV cache in ${small}, a context of ${shortened} tokens, one user`,
          zh: `${quantization} 量化，KV 缓存用 ${small}，上下文 ${shortened} token，单用户`,
        },
        loss: text,
        rank: loss + 4,
        request: { quant: quantization, kv: small, context: shortened, users: 1 },
        wishes: all,
      },
    ]
  })
  return [...own, ...others]
}

function onLlama({ change, rank, request, ...rest }: Attempt): Attempt {
  const named = { en: `llama.cpp with ${change.en}`, zh: `用 llama.cpp，${change.zh}` }
  return { ...rest, change: named, rank: rank + 3, request: { ...request, engine: 'llama' } }
}

/** Machines that people really buy or rent, smallest first. */
const MACHINES: readonly (readonly [gpu: string, ramGiB: number])[] = [
  ['none', 16],
  ['none', 32],
  ['RTX 4060 Ti', 32],
  ['none', 64],
  ['RTX 4090', 64],
  ['RTX 5090', 64],
  ['2x4090', 128],
  ['RTX 4090', 256],
  ['4x4090', 256],
  ['RTX 4090', 512],
  ['M3 Ultra-512G', 512],
  ['2x RTX PRO 6000', 256],
  ['8x4090', 512],
  ['RTX PRO 6000', 768],
  ['8xL20', 1024],
  ['8xA100', 1024],
  ['8xH20', 1024],
  ['8xH200', 2048],
  ['8xB200', 2048],
  ['16xH20', 2048],
  ['16xH200', 4096],
]

function hardwareChange(subject: Subject, wishes: Wishes): PlanChange[] {
  for (const { wishes: next, request, text } of hardwareWays(subject, wishes)) {
    const found = smallestMachine(subject, next)
    if (found) return [machineChange(found, request, text)]
  }
  return []
}

interface HardwareWay {
  wishes: Wishes
  /** What is changed beside the machine. */
  request: PlanChange['request']
  text: Localized
}

/** As wished; by an engine for many users; for one user with a short window. */
function hardwareWays({ header, machine }: Subject, wishes: Wishes): HardwareWay[] {
  const nothing = { en: '', zh: '' }
  const vllm = { ...wishes, engine: 'vllm' as const, quantization: header.quantization, kv: usualKv(header, 'vllm', machine) }
  const context = Math.min(wishes.context, 4096)
  return [
    { wishes, request: {}, text: nothing },
    ...(wishes.engine === 'llama' && header.source !== 'gguf' ? [{ wishes: vllm, request: {}, text: nothing }] : []),
    {
      wishes: { ...wishes, context, users: 1 },
      request: { context, users: 1 },
      text: { en: `, for one user with ${context} tokens`, zh: `，单用户 ${context} token` },
    },
  ]
}

function machineChange(found: FoundMachine, request: PlanChange['request'], text: Localized): PlanChange {
  const { gpu, ramGiB, situation } = found
  const { engine, quantization, kv } = situation.wishes
  const memory = `${ramGiB} GiB`
  const way = `${ENGINE_NAMES[engine]}, ${quantization}`
  const change =
    gpu === 'none'
      ? { en: `a machine with ${memory} of memory (${way})${text.en}`, zh: `换用 ${memory} 内存的机器（${way}）${text.zh}` }
      : {
          en: `a machine with ${gpu} and ${memory} of memory (${way})${text.en}`,
          zh: `换用 ${gpu} + ${memory} 内存的机器（${way}）${text.zh}`,
        }
  // Other cards would be planned with another engine and other weights, when nobody says.
  const asked = { gpu, ram: `${ramGiB}G`, engine, quant: quantization, kv, ...request }
  return { kind: 'hardware', change, loss: { en: 'money', zh: '需要花钱' }, rank: 20, request: asked, total: totalBytes(situation) }
}

const ENGINE_NAMES: Readonly<Record<Wishes['engine'], string>> = { llama: 'llama.cpp', vllm: 'vLLM', sglang: 'SGLang' }

interface FoundMachine {
  gpu: string
  ramGiB: number
  situation: Situation
}

export function smallestMachine(subject: Subject, wishes: Wishes): FoundMachine | undefined {
  for (const [gpu, ramGiB] of MACHINES) {
    if (wishes.engine !== 'llama' && gpu === 'none') continue
    const machine = machineInWords(gpu, ramGiB)
    if (wishes.engine !== 'llama' && !runsFormat(machine.gpus, wishes.quantization)) continue
    const situation = situationOf({ ...subject, machine }, { ...wishes, kv: kvOn(machine, subject, wishes) })
    if (situation.placed.fits) return { gpu, ramGiB, situation }
  }
  return undefined
}

/** V4's cache has another type on Ascend than elsewhere. */
function kvOn(machine: Machine, { header, machine: here }: Subject, { engine, kv }: Wishes): Wishes['kv'] {
  return kv === usualKv(header, engine, here) ? usualKv(header, engine, machine) : kv
}

export function machineInWords(gpu: string, ramGiB: number): Machine {
  return describedMachine(parseGpus(gpu), { bytes: ramGiB * 2 ** 30 })
}
