/** Contents of files in messages: short and without control characters, which would reach terminals and logs. */
export function printable(text: string, length = 80): string {
  // oxlint-disable-next-line no-control-regex
  return text.slice(0, length).replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '?')
}
