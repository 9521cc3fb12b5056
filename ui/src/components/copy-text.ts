/**
 * Copies, also on a page over plain HTTP from another machine, where the clipboard API is missing. With `html`, programs that know
 * formatting paste that. False when nothing worked.
 */
export async function copyText(text: string, html?: string): Promise<boolean> {
  try {
    if (html === undefined) await navigator.clipboard.writeText(text)
    else
      await navigator.clipboard.write([new ClipboardItem({ 'text/plain': blob(text, 'text/plain'), 'text/html': blob(html, 'text/html') })])
    return true
  } catch {
    return copyByEvent(text, html)
  }
}

function blob(text: string, type: string): Blob {
  return new Blob([text], { type })
}

function copyByEvent(text: string, html: string | undefined): boolean {
  const onCopy = (event: ClipboardEvent): void => {
    event.preventDefault()
    event.clipboardData?.setData('text/plain', text)
    if (html !== undefined) event.clipboardData?.setData('text/html', html)
  }
  document.addEventListener('copy', onCopy, { once: true })
  try {
    return document.execCommand('copy')
  } catch {
    return false
  } finally {
    document.removeEventListener('copy', onCopy)
  }
}
