/** AMD graphics cards, by rocm-smi, or amd-smi where that is gone; without either by what the amdgpu driver puts into /sys. */
import { z } from 'zod'

import type { Gpu } from '../shared/hardware.ts'
import { MIB, known } from './gpu-probe.ts'
import type { GpuProbe } from './gpu-probe.ts'
import { drmCards } from './drm-cards.ts'
import { parseJson } from './parse-json.ts'
import { answer } from './system.ts'
import type { System } from './system.ts'
import { troubleOf } from './trouble.ts'

/** Processors with a small graphics part reserve this little; nothing is gained by using it. */
const LEAST_BYTES = 1_000_000_000
const PCI_VENDOR = '0x1002'

export async function probeAmd(system: System): Promise<GpuProbe> {
  if (system.platform !== 'linux') return { gpus: [], troubles: [] }
  // All at once: each may take the whole time.
  const [rocm, fixed, metric] = await Promise.all([
    answer(system, 'rocm-smi', ['--showproductname', '--showmeminfo', 'vram', '--showdriverversion', '--json']),
    answer(system, 'amd-smi', ['static', '--asic', '--vram', '--driver', '--json']),
    answer(system, 'amd-smi', ['metric', '--mem-usage', '--json']),
  ])
  const newer = parseAmdSmi(fixed.stdout, metric.stdout)
  const found = newer.length > 0 ? newer : parseRocmSmi(rocm.stdout)
  if (found.length > 0) return { gpus: found, troubles: [] }
  const trouble = troubleOf('amd', 'amd-smi', fixed) ?? troubleOf('amd', 'rocm-smi', rocm)
  return { gpus: await cardsOfDriver(system), troubles: trouble ? [trouble] : [] }
}

async function cardsOfDriver(system: System): Promise<Gpu[]> {
  const cards = await drmCards(system, PCI_VENDOR, ['mem_info_vram_total', 'mem_info_vram_used', 'product_name'])
  return cards.flatMap(({ files, index }) => {
    const total = Number(files['mem_info_vram_total'])
    if (!(total >= LEAST_BYTES)) return []
    const used = Number(files['mem_info_vram_used']) || 0
    return [
      {
        vendor: 'amd' as const,
        name: known(files['product_name']) ?? 'AMD GPU',
        memoryBytes: total,
        freeBytes: Math.max(0, total - used),
        index,
      },
    ]
  })
}

const RocmCardSchema = z.record(z.string(), z.unknown())

/**
 * `{ "card0": { "VRAM Total Memory (B)": "…", "VRAM Total Used Memory (B)": "…", "Card Series": "…" }, "system": {…} }`.
 * The names' case changed with ROCm 6, and before the JSON warnings may stand.
 */
export function parseRocmSmi(text: string): Gpu[] {
  const parsed = z.record(z.string(), RocmCardSchema).safeParse(parseJson(text))
  if (!parsed.success) return []
  const driver = parsed.data['system']?.['Driver version']
  return Object.entries(parsed.data).flatMap(([key, card]) => {
    const total = Number(card['VRAM Total Memory (B)'])
    const index = /^card(\d+)$/.exec(key)?.[1]
    if (index === undefined || !(total >= LEAST_BYTES)) return []
    const used = Number(card['VRAM Total Used Memory (B)']) || 0
    return [
      {
        vendor: 'amd' as const,
        name: firstName(card['Card Series'], card['Card series'], card['Card Model'], card['Card model']) ?? 'AMD GPU',
        memoryBytes: total,
        freeBytes: Math.max(0, total - used),
        index: Number(index),
        ...named('driver', driver),
        ...named('capability', card['GFX Version']),
      },
    ]
  })
}

const AmountSchema = z.union([
  z.number(),
  z.string(),
  z.looseObject({ value: z.union([z.number(), z.string()]), unit: z.string().optional() }),
])
type Amount = z.infer<typeof AmountSchema> | undefined
const StaticSchema = z.looseObject({
  gpu: z.number().int().nonnegative(),
  asic: z
    .looseObject({
      market_name: z.string().optional(),
      target_graphics_version: z.string().optional(),
      num_compute_units: z.union([z.number(), z.string()]).optional(),
    })
    .optional(),
  // A list says `N/A` for the whole section on some partitions.
  vram: z.union([z.looseObject({ size: AmountSchema.optional() }), z.string()]).optional(),
  driver: z.union([z.looseObject({ version: z.string().optional() }), z.string()]).optional(),
})
const MetricSchema = z.looseObject({
  gpu: z.number().int().nonnegative(),
  // Windows' and old drivers' lists have no `free_vram`.
  mem_usage: z.union([z.looseObject({ free_vram: AmountSchema.optional(), used_vram: AmountSchema.optional() }), z.string()]).optional(),
})

/** `amd-smi static` and `amd-smi metric`: a list, or since ROCm 7 `{ "gpu_data": [ … ] }`; amounts `{ value, unit: "MB" }` are MiB. */
export function parseAmdSmi(fixed: string, metric: string): Gpu[] {
  const usage = new Map(listOf(metric, MetricSchema).map((card) => [card.gpu, objectOf(card.mem_usage)]))
  return listOf(fixed, StaticSchema).flatMap((card) => {
    const memoryBytes = bytesOf(objectOf(card.vram)?.size)
    if (memoryBytes < LEAST_BYTES) return []
    const cores = Number(card.asic?.num_compute_units)
    return [
      {
        vendor: 'amd' as const,
        name: firstName(card.asic?.market_name) ?? 'AMD GPU',
        memoryBytes,
        freeBytes: freeOf(memoryBytes, usage.get(card.gpu)),
        index: card.gpu,
        ...named('driver', objectOf(card.driver)?.version),
        ...named('capability', card.asic?.target_graphics_version),
        ...(Number.isInteger(cores) && cores > 0 ? { cores } : {}),
      },
    ]
  })
}

function freeOf(total: number, usage: { free_vram?: Amount; used_vram?: Amount } | undefined): number {
  const free = usage?.free_vram === undefined ? total - bytesOf(usage?.used_vram) : bytesOf(usage.free_vram)
  return Math.max(0, Math.min(total, free))
}

function objectOf<T extends object>(value: T | string | undefined): T | undefined {
  return typeof value === 'object' ? value : undefined
}

function listOf<T extends z.ZodType>(text: string, schema: T): z.infer<T>[] {
  const json = parseJson(text)
  const list = z.looseObject({ gpu_data: z.array(z.unknown()) }).safeParse(json)
  const items: unknown = list.success ? list.data.gpu_data : json
  return Array.isArray(items) ? items.map((item) => schema.safeParse(item)).flatMap((result) => (result.success ? [result.data] : [])) : []
}

function bytesOf(amount: Amount): number {
  if (amount === undefined) return 0
  const value = typeof amount === 'object' ? amount.value : amount
  const unit = typeof amount === 'object' ? (amount.unit ?? 'MB') : (/[a-z]+/i.exec(String(amount))?.[0] ?? 'MB')
  const factor = /^g/i.test(unit) ? 1024 * MIB : /^b/i.test(unit) ? 1 : MIB
  return Math.max(0, Math.floor((Number.parseFloat(String(value)) || 0) * factor))
}

/** Some versions write the device id where the name belongs. */
function firstName(...values: unknown[]): string | undefined {
  return values
    .map((value) => (typeof value === 'string' ? known(value) : undefined))
    .find((value) => value && !/^0x[\da-f]+$/i.test(value))
}

function named<Key extends string>(key: Key, value: unknown): { [Name in Key]?: string } {
  const text = typeof value === 'string' ? known(value) : undefined
  return (text === undefined ? {} : { [key]: text }) as { [Name in Key]?: string }
}
