/** AMD graphics cards, by rocm-smi, or amd-smi where that is gone. */
import { z } from 'zod'

import type { Gpu } from '../shared/api.ts'
import { output } from './system.ts'
import type { System } from './system.ts'

const MIB = 1024 * 1024
/** Processors with a small graphics part reserve this little; nothing is gained by using it. */
const LEAST_BYTES = 1_000_000_000

export async function probeAmd(system: System): Promise<Gpu[]> {
  if (system.platform !== 'linux') return []
  const rocm = await output(system, 'rocm-smi', ['--showproductname', '--showmeminfo', 'vram', '--showdriverversion', '--json'])
  const found = parseRocmSmi(rocm ?? '')
  if (found.length > 0) return found
  const [fixed, metric] = await Promise.all([
    output(system, 'amd-smi', ['static', '--asic', '--vram', '--driver', '--json']),
    output(system, 'amd-smi', ['metric', '--mem-usage', '--json']),
  ])
  return parseAmdSmi(fixed ?? '', metric ?? '')
}

const RocmCardSchema = z.record(z.string(), z.unknown())

/** `{ "card0": { "VRAM Total Memory (B)": "…", "VRAM Total Used Memory (B)": "…", "Card Series": "…" }, "system": {…} }` */
export function parseRocmSmi(text: string): Gpu[] {
  const parsed = z.record(z.string(), RocmCardSchema).safeParse(parseJson(text))
  if (!parsed.success) return []
  const driver = parsed.data['system']?.['Driver version']
  return Object.entries(parsed.data).flatMap(([key, card]) => {
    const total = Number(card['VRAM Total Memory (B)'])
    if (!/^card\d+$/.test(key) || !(total >= LEAST_BYTES)) return []
    const used = Number(card['VRAM Total Used Memory (B)']) || 0
    const capability = card['GFX Version']
    return [
      {
        vendor: 'amd' as const,
        name: firstText(card['Card Series'], card['Card series'], card['Card Model'], card['Card model']) ?? 'AMD GPU',
        memoryBytes: total,
        freeBytes: Math.max(0, total - used),
        ...(typeof driver === 'string' ? { driver } : {}),
        ...(typeof capability === 'string' ? { capability } : {}),
      },
    ]
  })
}

const AmountSchema = z.union([
  z.number(),
  z.string(),
  z.looseObject({ value: z.union([z.number(), z.string()]), unit: z.string().optional() }),
])
const StaticSchema = z.looseObject({
  gpu: z.number(),
  asic: z.looseObject({ market_name: z.string().optional(), target_graphics_version: z.string().optional() }).optional(),
  vram: z.looseObject({ size: AmountSchema.optional() }).optional(),
  driver: z.looseObject({ version: z.string().optional() }).optional(),
})
const MetricSchema = z.looseObject({ gpu: z.number(), mem_usage: z.looseObject({ free_vram: AmountSchema.optional() }).optional() })

/** `amd-smi static` and `amd-smi metric`: a list, or since ROCm 7 `{ "gpu_data": [ … ] }`; amounts `{ value, unit: "MB" }` are MiB. */
export function parseAmdSmi(fixed: string, metric: string): Gpu[] {
  const free = new Map(listOf(metric, MetricSchema).map((card) => [card.gpu, bytesOf(card.mem_usage?.free_vram)]))
  return listOf(fixed, StaticSchema).flatMap((card) => {
    const memoryBytes = bytesOf(card.vram?.size)
    if (memoryBytes < LEAST_BYTES) return []
    const driver = card.driver?.version
    const capability = card.asic?.target_graphics_version
    return [
      {
        vendor: 'amd' as const,
        name: firstText(card.asic?.market_name) ?? 'AMD GPU',
        memoryBytes,
        freeBytes: Math.min(memoryBytes, free.get(card.gpu) ?? memoryBytes),
        ...(driver && driver !== 'N/A' ? { driver } : {}),
        ...(capability && capability !== 'N/A' ? { capability } : {}),
      },
    ]
  })
}

function listOf<T extends z.ZodType>(text: string, schema: T): z.infer<T>[] {
  const json = parseJson(text)
  const list = z.looseObject({ gpu_data: z.array(z.unknown()) }).safeParse(json)
  const items: unknown = list.success ? list.data.gpu_data : json
  return Array.isArray(items) ? items.map((item) => schema.safeParse(item)).flatMap((result) => (result.success ? [result.data] : [])) : []
}

function bytesOf(amount: z.infer<typeof AmountSchema> | undefined): number {
  if (amount === undefined) return 0
  const value = typeof amount === 'object' ? amount.value : amount
  const unit = typeof amount === 'object' ? (amount.unit ?? 'MB') : (/[a-z]+/i.exec(String(amount))?.[0] ?? 'MB')
  const factor = /^g/i.test(unit) ? 1024 * MIB : /^b/i.test(unit) ? 1 : MIB
  return Math.floor((Number.parseFloat(String(value)) || 0) * factor)
}

function firstText(...values: unknown[]): string | undefined {
  return values.find((value): value is string => typeof value === 'string' && value !== '' && value !== 'N/A')
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
