/** Progress of a download: a bar on a terminal, a line every few seconds elsewhere. */
import { formatBytes } from '../base/bytes.ts'
import type { Pull } from '../shared/api.ts'
import type { Language } from '../shared/language.ts'
import type { Output } from './output.ts'
import { cutToWidth } from './text-width.ts'

export interface ProgressOptions {
  output: Output
  columns: () => number
  now?: () => number
}

export interface Progress {
  show(pull: Pull): void
  /** Leaves the last state on the screen. */
  end(): void
}

const BAR_WIDTH = 24
const REDRAW_MS = 100
const LINE_EVERY_MS = 5000

export function createProgress({ output, columns, now = Date.now }: ProgressOptions): Progress {
  const isBar = output.isInteractive
  let lastShown = -Infinity
  let lastState: Pull['state'] | undefined
  let isDrawn = false
  return {
    show(pull) {
      const isDue = now() - lastShown >= (isBar ? REDRAW_MS : LINE_EVERY_MS) || pull.state !== lastState
      if (!isDue) return
      lastShown = now()
      lastState = pull.state
      const text = progressText(pull, output.language, isBar)
      output.status(isBar ? `\r\u001b[K${cutToWidth(text, columns() - 1)}` : `${text}\n`)
      isDrawn = isBar
    },
    end() {
      if (isDrawn) output.status('\n')
      isDrawn = false
    },
  }
}

/** e.g. `[########----------------]  33%  0.4 / 1.1 GB  12 MB/s  1m 02s  hf-mirror`. */
export function progressText(pull: Pull, language: Language, withBar: boolean): string {
  if (pull.state !== 'downloading' || pull.totalBytes === 0) return stateText(pull, language)
  const fraction = Math.min(1, pull.doneBytes / pull.totalBytes)
  const bar = withBar ? `[${'#'.repeat(Math.round(fraction * BAR_WIDTH)).padEnd(BAR_WIDTH, '-')}] ` : ''
  const parts = [
    `${bar}${String(Math.floor(fraction * 100)).padStart(3)}%`,
    `${formatBytes(pull.doneBytes)} / ${formatBytes(pull.totalBytes)}`,
  ]
  if (pull.bytesPerSecond > 0) {
    parts.push(`${formatBytes(pull.bytesPerSecond)}/s`, formatSeconds((pull.totalBytes - pull.doneBytes) / pull.bytesPerSecond))
  }
  if (pull.source) parts.push(pull.source)
  if (pull.notice) parts.push(pull.notice[language])
  return parts.join('  ')
}

/** `75` → `1m 15s`. */
export function formatSeconds(seconds: number): string {
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole}s`
  if (whole < 3600) return `${Math.floor(whole / 60)}m ${String(whole % 60).padStart(2, '0')}s`
  return `${Math.floor(whole / 3600)}h ${String(Math.floor((whole % 3600) / 60)).padStart(2, '0')}m`
}

const STATE_TEXTS: Record<Pull['state'], { en: string; zh: string }> = {
  waiting: { en: 'Waiting', zh: '等待中' },
  resolving: { en: 'Looking for sources', zh: '正在查找下载源' },
  downloading: { en: 'Downloading', zh: '正在下载' },
  verifying: { en: 'Verifying', zh: '正在校验' },
  paused: { en: 'Paused', zh: '已暂停' },
  done: { en: 'Done', zh: '完成' },
  failed: { en: 'Failed', zh: '失败' },
  cancelled: { en: 'Cancelled', zh: '已取消' },
}

function stateText(pull: Pull, language: Language): string {
  const size = pull.doneBytes > 0 ? `  ${formatBytes(pull.doneBytes)}` : ''
  return `${STATE_TEXTS[pull.state][language]}  ${pull.file ?? pull.reference}${size}${pull.source ? `  ${pull.source}` : ''}`
}
