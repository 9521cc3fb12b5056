/** One message at the bottom with an action, e.g. undo. */
import { useEffect, useSyncExternalStore, type JSX } from 'react'

export interface Toast {
  text: string
  action: string
  onAction: () => void
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
          <span className="min-w-0 truncate">{toast.text}</span>
          <button
            type="button"
            className="shrink-0 rounded-lg px-2.5 py-1 pointer-coarse:min-h-10 font-semibold underline-offset-4 hover:underline"
            onClick={() => {
              toast.onAction()
              showToast(undefined)
            }}
          >
            {toast.action}
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
