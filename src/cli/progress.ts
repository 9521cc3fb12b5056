/** Progress of a download, or of a copy between disks: a bar on a terminal, a line every few seconds elsewhere. */
import { formatBytes } from '../base/bytes.ts'
import type { Copy, Pull } from '../shared/api.ts'
import type { Language } from '../shared/language.ts'
import type { Output } from './output.ts'
import { cutToWidth } from './text-width.ts'

export interface ProgressOptions {
  output: Output
  columns: () => number
  now?: () => number
}

export type Shown = Pull | Copy

export interface Progress {
  show(progress: Shown): void
  /** Leaves the last state on the screen. */
  end(): void
}

const BAR_WIDTH = 24
const REDRAW_MS = 100
const LINE_EVERY_MS = 5000

export function createProgress({ output, columns, now = Date.now }: ProgressOptions): Progress {
  const isBar = output.isInteractive
  let lastShown = -Infinity
  let lastState: Shown['state'] | undefined
  let isDrawn = false
  return {
    show(shown) {
      const isDue = now() - lastShown >= (isBar ? REDRAW_MS : LINE_EVERY_MS) || shown.state !== lastState
      if (!isDue) return
      lastShown = now()
      lastState = shown.state
      const text = progressText(shown, output.language, isBar)
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
export function progressText(shown: Shown, language: Language, withBar: boolean): string {
  const { state, doneBytes, totalBytes, bytesPerSecond } = shown
  if ((state !== 'downloading' && state !== 'copying') || totalBytes === 0) return stateText(shown, language)
  const fraction = Math.min(1, doneBytes / totalBytes)
  const bar = withBar ? `[${'#'.repeat(Math.round(fraction * BAR_WIDTH)).padEnd(BAR_WIDTH, '-')}] ` : ''
  const parts = [`${bar}${String(Math.floor(fraction * 100)).padStart(3)}%`, `${formatBytes(doneBytes)} / ${formatBytes(totalBytes)}`]
  if (bytesPerSecond > 0) parts.push(`${formatBytes(bytesPerSecond)}/s`, formatSeconds((totalBytes - doneBytes) / bytesPerSecond))
  if ('source' in shown && shown.source) parts.push(shown.source)
  if ('notice' in shown && shown.notice) parts.push(shown.notice[language])
  return parts.join('  ')
}

/** `75` → `1m 15s`. */
export function formatSeconds(seconds: number): string {
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole}s`
  if (whole < 3600) return `${Math.floor(whole / 60)}m ${String(whole % 60).padStart(2, '0')}s`
  return `${Math.floor(whole / 3600)}h ${String(Math.floor((whole % 3600) / 60)).padStart(2, '0')}m`
}

const STATE_TEXTS: Record<Shown['state'], { en: string; zh: string }> = {
  waiting: { en: 'Waiting', zh: '等待中' },
  resolving: { en: 'Looking for sources', zh: '正在查找下载源' },
  downloading: { en: 'Downloading', zh: '正在下载' },
  copying: { en: 'Copying', zh: '正在复制' },
  verifying: { en: 'Verifying', zh: '正在校验' },
  paused: { en: 'Paused', zh: '已暂停' },
  done: { en: 'Done', zh: '完成' },
  failed: { en: 'Failed', zh: '失败' },
  cancelled: { en: 'Cancelled', zh: '已取消' },
}

function stateText(shown: Shown, language: Language): string {
  const size = shown.doneBytes > 0 ? `  ${formatBytes(shown.doneBytes)}` : ''
  const what = shown.file ?? ('reference' in shown ? shown.reference : '')
  const source = 'source' in shown && shown.source ? `  ${shown.source}` : ''
  return `${STATE_TEXTS[shown.state][language]}  ${what}${size}${source}`
}
