/** One message at the bottom, perhaps with an action, e.g. undo. */
import { useEffect, useSyncExternalStore, type JSX } from 'react'
import { useTranslation } from 'react-i18next'

export interface Toast {
  text: string
  action?: { label: string; run: () => void }
}

/** ms that it stays. */
const SHOWN_MS = 8000

let current: Toast | undefined
const listeners = new Set<() => void>()

export function showToast(toast: Toast | undefined): void {
  current = toast
  for (const listener of listeners) listener()
}

export function ToastOutlet(): JSX.Element {
  const { t } = useTranslation()
  const toast = useSyncExternalStore(subscribe, () => current)
  useEffect(() => {
    if (!toast) return undefined
    const id = setTimeout(() => showToast(undefined), SHOWN_MS)
    return () => clearTimeout(id)
  }, [toast])
  return (
    <div role="status" className="pointer-events-none fixed inset-x-0 bottom-24 z-50 flex justify-center px-4">
      {toast && (
        <div className="pop-in pointer-events-auto flex max-w-full items-center gap-3 rounded-2xl bg-ink py-2.5 pr-2.5 pl-4 text-sm text-paper shadow-float">
          <span className="line-clamp-3 min-w-0 wrap-anywhere">{toast.text}</span>
          <button
            type="button"
            className="shrink-0 rounded-lg px-2.5 py-1 pointer-coarse:min-h-10 font-semibold underline-offset-4 hover:underline"
            onClick={() => {
              toast.action?.run()
              showToast(undefined)
            }}
          >
            {toast.action?.label ?? t('common.ok')}
          </button>
        </div>
      )}
    </div>
  )
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}
