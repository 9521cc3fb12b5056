/** What a reader of a plan should know beside its numbers: where they are from, what was assumed, which popular belief they contradict. */
import { formatBytes } from '../base/bytes.ts'
import type { Localized } from '../shared/language.ts'
import type { PlanRequest } from '../shared/plan.ts'
import { lacksFp8, runsFormat, servesFolders } from './card-formats.ts'
import { MOST_SEQUENCES } from './overheads.ts'
import { isDriven } from './place-llama.ts'
import type { Placed } from './placement.ts'
import { missingBytes, situationOf } from './planner-situation.ts'
import type { Situation, Subject } from './planner-situation.ts'
import { quantizationNamed } from './weights.ts'

export function placementText(placed: Placed): Localized {
  const cards = placed.devices.filter((device) => device.kind === 'gpu')
  const names = [...new Set(cards.map((card) => card.name))]
    .map((name) => `${cards.filter((card) => card.name === name).length} × ${name}`)
    .join(' + ')
  const onCards = cards.reduce((sum, card) => sum + card.layers, 0)
  switch (placed.name) {
    case 'gpu':
      return { en: `everything on ${names}`, zh: `全部放在 ${names}` }
    case 'layers-split':
      return { en: `layers split over ${names}`, zh: `按层分到 ${names}` }
    case 'experts-in-memory':
      return { en: `attention on ${names}, experts in memory`, zh: `注意力在 ${names}，专家在内存` }
    case 'partly-on-gpu':
      return { en: `${onCards} layers on ${names}, the rest in memory`, zh: `${onCards} 层在 ${names}，其余在内存` }
    case 'memory':
      return { en: 'everything in memory, computed by the processor', zh: '全部在内存，由 CPU 计算' }
    case 'tensor-parallel':
      if (placed.data > 1)
        return {
          en: `experts spread over ${names}, attention copied ${placed.data} times (data parallel)`,
          zh: `专家分布在 ${names}，注意力复制 ${placed.data} 份（数据并行）`,
        }
      return {
        en: `tensor parallel ${placed.tensor}${placed.pipeline > 1 ? ` × pipeline ${placed.pipeline}` : ''} on ${names}`,
        zh: `张量并行 ${placed.tensor}${placed.pipeline > 1 ? ` × 流水线 ${placed.pipeline}` : ''}，${names}`,
      }
  }
}

export function planNotes(subject: Subject, situation: Situation, request: PlanRequest): Localized[] {
  return [
    ...shortageNotes(subject, situation),
    ...smallerCacheNotes(subject, situation),
    ...formatNotes(subject, situation),
    ...sourceNotes(subject, situation),
    ...modelNotes(subject, situation),
    ...machineNotes(subject, situation, request),
    ...contextNotes(subject, situation),
  ]
}

function shortageNotes({ machine }: Subject, { placed, weights, wishes }: Situation): Localized[] {
  if (placed.fits || placed.devices.length === 0) return []
  const most = MOST_SEQUENCES[wishes.engine]
  if (wishes.users > most)
    return [
      {
        en: `The embedded engine answers ${most} users at once at most; the others wait. For more: vLLM or SGLang, or several machines.`,
        zh: `内置引擎最多同时服务 ${most} 人，其余排队。需要更多请用 vLLM 或 SGLang，或多台机器。`,
      },
    ]
  const missing = missingBytes(placed)
  if (missing === 0) return [{ en: 'The shape does not say enough to plan it.', zh: '结构信息不足，无法规划。' }]
  const shortage = { en: `It does not fit: ${formatBytes(missing)} are missing.`, zh: `放不下：还缺 ${formatBytes(missing)}。` }
  const room = machine.memory.freeBytes + machine.gpus.reduce((sum, gpu) => sum + (gpu.isUnified ? 0 : gpu.freeBytes), 0)
  if (wishes.engine !== 'llama' || weights.total <= room) return [shortage]
  return [
    shortage,
    {
      en: 'llama.cpp maps the file, so that it would start all the same and read the missing part from disk for every token: expect one token in seconds.',
      zh: 'llama.cpp 以内存映射读取文件，仍可启动，但每个 token 都要从磁盘读取缺少的部分：每个 token 需数秒。',
    },
  ]
}

/** Layers in ordinary memory cost most of the speed; a cache of 8 bits often brings all of them onto the cards. */
function smallerCacheNotes(subject: Subject, { placed, wishes }: Situation): Localized[] {
  if (!placed.fits || placed.name !== 'partly-on-gpu' || wishes.kv !== 'f16') return []
  const smaller = situationOf(subject, { ...wishes, kv: 'q8_0' })
  if (smaller.placed.name !== 'gpu' && smaller.placed.name !== 'layers-split') return []
  return [
    {
      en: 'With a KV cache in q8_0 everything would lie on the cards, which is much faster.',
      zh: 'KV 缓存改用 q8_0 后可全部放在显卡上，速度会快很多。',
    },
  ]
}

function formatNotes({ machine }: Subject, { wishes, weights }: Situation): Localized[] {
  if (wishes.engine === 'llama' || machine.gpus.length === 0) return []
  const format = weights.quantization
  if (!runsFormat(machine.gpus, format)) {
    const name = machine.gpus.find((gpu) => !runsFormat([gpu], format))?.name ?? ''
    return [
      {
        en: `${wishes.engine} has no kernels for ${format} on ${name}: the weights must be converted (BF16${runsFormat(machine.gpus, 'INT8') ? ' or INT8' : ''}).`,
        zh: `${wishes.engine} 在 ${name} 上没有 ${format} 内核：需先转换权重（BF16${runsFormat(machine.gpus, 'INT8') ? ' 或 INT8' : ''}）。`,
      },
    ]
  }
  if (!/FP8/.test(format) || !lacksFp8(machine.gpus)) return []
  return [
    {
      en: 'These cards have no FP8 arithmetic: the weights stay in FP8 and are computed in 16 bits.',
      zh: '这些显卡没有 FP8 运算单元：权重以 FP8 存放，按 16 位计算。',
    },
  ]
}

function sourceNotes({ header }: Subject, { weights, computeBasis, wishes }: Situation): Localized[] {
  const notes: Localized[] = []
  if (header.source === 'config')
    notes.push({ en: 'Only config.json was read: weights are computed from the shape.', zh: '只读取了 config.json：权重按结构公式计算。' })
  if (header.source === 'catalogue')
    notes.push({
      en: 'From the built-in catalogue: nothing was read from a hub; weights are computed from the shape.',
      zh: '来自内置目录：未联网读取；权重按结构公式计算。',
    })
  if (weights.basis === 'recipe')
    notes.push({
      en: `${weights.quantization} would be made from these files; its size follows llama.cpp's rules.`,
      zh: `${weights.quantization} 需由这些文件转换得到；大小按 llama.cpp 规则计算。`,
    })
  if (wishes.engine !== 'llama' && header.source !== 'gguf' && needsOtherFiles(header.quantization, weights.quantization))
    notes.push({
      en: `The published files are in ${header.quantization}: ${weights.quantization} needs a repository that holds it, in place of the one in the command.`,
      zh: `发布的文件为 ${header.quantization}：${weights.quantization} 需另找相应仓库，并替换启动命令中的仓库名。`,
    })
  if (weights.basis === 'measured')
    notes.push({
      en: 'The size of the weights is a measured average of bits per weight, a few percent off.',
      zh: '权重大小按平均每权重比特数估算，误差约百分之几。',
    })
  if (wishes.engine === 'llama' && computeBasis === 'formula')
    notes.push({ en: 'The compute buffer is a formula; libllama was not asked.', zh: '计算缓冲按公式估算，未经 libllama 试算。' })
  return notes
}

/** 16-bit weights can be made FP8 while they are loaded; nothing else is. */
function needsOtherFiles(published: string, planned: string): boolean {
  const named = (text: string): string => quantizationNamed(text) ?? text
  if (named(published) === named(planned)) return false
  return !(['BF16', 'F16', 'F32'].includes(named(published)) && ['FP8', 'BF16', 'F16'].includes(named(planned)))
}

function modelNotes({ kvModel, facts }: Subject, { weights, placed, wishes }: Situation): Localized[] {
  const notes: Localized[] = []
  if (kvModel.scheme === 'MLA-legacy')
    notes.push({
      en: 'An old GGUF: it keeps full keys and values of all heads, many times the latent cache. A file made after April 2025 needs far less.',
      zh: '旧版 GGUF：保存所有头的完整键值，是潜在缓存的许多倍。换用 2025 年 4 月之后转换的文件可大幅节省。',
    })
  if (placed.tensor > 1 && kvModel.isReplicated)
    notes.push({
      en: `Tensor parallelism does not split a latent cache: each of ${placed.tensor} ranks holds all of it.`,
      zh: `张量并行不能切分潜在缓存：${placed.tensor} 张卡各存一份。`,
    })
  if (facts.experts > 0)
    notes.push({
      en: `All ${facts.experts} experts must be stored; only ${facts.activeExperts} work for each token, which sets the speed.`,
      zh: `${facts.experts} 个专家都要存放；每个 token 只用 ${facts.activeExperts} 个，这决定速度。`,
    })
  if (weights.draft > 0 && !wishes.draft)
    notes.push({
      en: `${formatBytes(weights.draft)} of multi-token-prediction weights are not loaded.`,
      zh: `未加载 ${formatBytes(weights.draft)} 的多 token 预测权重。`,
    })
  if (weights.lookup > 0)
    notes.push({
      en: `${formatBytes(weights.lookup)} of lookup tables may stay on disk.`,
      zh: `${formatBytes(weights.lookup)} 的查找表可以留在磁盘上。`,
    })
  return notes
}

function machineNotes({ machine, facts }: Subject, { wishes, placed }: Situation, { gpu, ram }: PlanRequest): Localized[] {
  const notes: Localized[] = []
  const undriven = machine.gpus.filter((card) => !isDriven(card))
  if (wishes.engine === 'llama' && undriven.length > 0)
    notes.push(
      undriven.every(servesFolders)
        ? {
            en: `The embedded engine has no build for ${undriven[0]?.name}; plan with --engine vllm.`,
            zh: `内置引擎不支持 ${undriven[0]?.name}；请用 --engine vllm 规划。`,
          }
        : {
            en: `The embedded engine has no build for ${undriven[0]?.name}, nor has vLLM: llama.cpp's own MUSA build would use it.`,
            zh: `内置引擎与 vLLM 均不支持 ${undriven[0]?.name}：可使用 llama.cpp 的 MUSA 版本。`,
          },
    )
  if (wishes.engine !== 'llama' && machine.gpus.length === 0)
    notes.push({ en: `${wishes.engine} needs a graphics card.`, zh: `${wishes.engine} 需要显卡。` })
  if (gpu !== undefined && ram === undefined && !machine.gpus.some((card) => card.isUnified) && machine.gpus.length > 0)
    notes.push({ en: 'No --ram was given: 16 GiB of ordinary memory are assumed.', zh: '未给出 --ram：假定系统内存为 16 GiB。' })
  if (
    !machine.memory.isMeasured &&
    placed.devices.some((device) => device.kind === 'memory' && device.readAlways + device.parts.experts > 0)
  )
    notes.push({
      en: `Memory bandwidth is assumed: ${(machine.memory.bandwidth / 1e9).toFixed(0)} GB/s.`,
      zh: `内存带宽为假定值：${(machine.memory.bandwidth / 1e9).toFixed(0)} GB/s。`,
    })
  const unknown = machine.gpus.find((card) => card.bandwidth === undefined)
  if (unknown)
    notes.push({ en: `${unknown.name} is not in the table: its speed is a guess.`, zh: `${unknown.name} 不在设备表中：速度为猜测。` })
  if (wishes.engine !== 'llama' && machine.gpus.length > 0) {
    const unused = machine.gpus.length - placed.devices.length
    if (unused > 0)
      notes.push({
        en: `${unused} cards stay unused: ${facts.heads} heads do not divide over them, or the computers have different numbers of cards.`,
        zh: `${unused} 张卡闲置：${facts.heads} 个头无法整除，或各机器卡数不同。`,
      })
  }
  return notes
}

function contextNotes({ header }: Subject, { wishes }: Situation): Localized[] {
  if (header.trainedContext === 0 || wishes.context <= header.trainedContext) return []
  return [
    {
      en: `The model was made for ${header.trainedContext} tokens; beyond that its answers get worse.`,
      zh: `模型按 ${header.trainedContext} token 训练；超出后质量下降。`,
    },
  ]
}
