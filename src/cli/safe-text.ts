/** Text of a model on a terminal: control characters could move the cursor, change the title or answer for the user. */

// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g

/** Keeps line feeds and tabs. */
export function safeText(text: string): string {
  return text.replace(CONTROL, '')
}
