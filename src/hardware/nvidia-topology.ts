/** The matrix of `nvidia-smi topo -m`: how the cards reach each other. */
import type { GpuLink } from '../shared/hardware.ts'

/** The legend that the tool prints below. */
const TYPES: Readonly<Record<string, GpuLink['type']>> = {
  PIX: 'pcie-switch',
  PXB: 'pcie-bridges',
  PHB: 'pcie-host',
  NODE: 'numa-node',
  SYS: 'system',
  SOC: 'system',
}

/** By card index. Network cards have columns of their own, which are passed over. Cells are parted by tabs or by spaces. */
export function parseTopology(text: string): Map<number, GpuLink[]> {
  const lines = stripStyle(text).split('\n')
  const header = lines.find((line) => /^\s*GPU0(\s|$)/.test(line)) ?? ''
  const columns = header.trim().split(/\s+/)
  const links = new Map<number, GpuLink[]>()
  for (const line of lines) {
    const [row, ...cells] = line.trim().split(/\s+/)
    const from = gpuIndex(row)
    if (from === undefined || line === header || !cells.includes('X')) continue
    links.set(
      from,
      cells.slice(0, columns.length).flatMap((cell, column) => linkOf(cell, gpuIndex(columns[column]))),
    )
  }
  return links
}

function linkOf(cell: string, to: number | undefined): GpuLink[] {
  const lanes = /^NV(\d+)$/.exec(cell)?.[1]
  if (to === undefined || cell === 'X') return []
  if (lanes !== undefined && Number(lanes) > 0) return [{ to, type: 'nvlink', lanes: Number(lanes) }]
  const type = TYPES[cell]
  return type === undefined ? [] : [{ to, type }]
}

function gpuIndex(name: string | undefined): number | undefined {
  const match = /^GPU(\d{1,3})$/.exec(name ?? '')
  return match ? Number(match[1]) : undefined
}

/** Drivers since 525 underline the header. */
function stripStyle(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replace(/\u001b\[[\d;]*m/g, '')
}
