/** The head of an HTTP/1.1 answer (RFC 9112). Pure. */

export interface ResponseHead {
  status: number
  headers: Headers
  /** The server keeps the connection for the next request. */
  staysOpen: boolean
  /** What came after the head: the beginning of the body. */
  rest: Buffer
}

/** Of an interim answer (1xx) nothing is told: the next head counts. `invalid`: not what RFC 9112 allows. */
export function parseHead(bytes: Buffer): ResponseHead | 'incomplete' | 'invalid' {
  const end = bytes.indexOf('\r\n\r\n')
  if (end < 0) return 'incomplete'
  const [first = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n')
  const start = /^HTTP\/1\.([01]) (\d{3})(?: .*)?$/.exec(first)
  if (!start) return 'invalid'
  const rest = bytes.subarray(end + 4)
  const status = Number(start[2])
  if (status >= 100 && status < 200) return status === 101 ? 'invalid' : parseHead(rest)
  const headers = parseHeaders(lines)
  if (!headers) return 'invalid'
  const tokens = (headers.get('connection') ?? '').toLowerCase().split(/\s*,\s*/)
  return { status, headers, staysOpen: start[1] === '1' && !tokens.includes('close'), rest }
}

function parseHeaders(lines: readonly string[]): Headers | undefined {
  const headers = new Headers()
  for (const line of lines) {
    const field = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/.exec(line)
    // eslint-disable-next-line no-control-regex
    if (!field || /[\0\r\n]/.test(line)) return undefined
    headers.append(field[1] ?? '', field[2] ?? '')
  }
  return headers
}
