/**
 * Takes out of a text what is nobody else's business: keys, persons, machines and addresses. Made for reports that are sent to strangers,
 * so in doubt it takes out too much.
 */

export interface RedactOptions {
  /** Texts that must not come out whatever they look like, e.g. the tokens of the settings. */
  secrets?: readonly string[]
  /** Names of this machine. */
  hostNames?: readonly string[]
  /** Names of the person. */
  userNames?: readonly string[]
}

type Rule = readonly [pattern: RegExp, replacement: string | ((match: string, ...groups: string[]) => string)]

/** Applies to every text in `value`, names of fields too. The shape stays. */
export function redactValue(value: unknown, options: RedactOptions = {}): unknown {
  if (typeof value === 'string') return redactText(value, options)
  if (Array.isArray(value)) return value.map((item) => redactValue(item, options))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      redactText(key, options),
      isSecretName(key) && isPlainValue(item) ? HIDDEN : redactValue(item, options),
    ]),
  )
}

/** A group of fields is looked into; whether something is on is no secret. */
function isPlainValue(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number' || Array.isArray(value)
}

export function redactText(text: string, { secrets = [], hostNames = [], userNames = [] }: RedactOptions = {}): string {
  const known = secrets.flatMap(spellings).filter((secret) => secret.length >= 4)
  let clean = text
  for (const secret of known.toSorted((a, b) => b.length - a.length)) clean = clean.replaceAll(secret, HIDDEN)
  for (const name of hostNames.filter(isTellingHost)) clean = clean.replace(wordOf(name), '<host>')
  for (const [pattern, replacement] of RULES) {
    clean = typeof replacement === 'string' ? clean.replace(pattern, replacement) : clean.replace(pattern, replacement)
  }
  for (const name of userNames.filter(isTellingUser)) clean = clean.replace(wordOf(name), '<user>')
  return clean
}

const HIDDEN = '<hidden>'

/** Ends of the names of fields and variables whose value is a secret. `tokens` is a count. */
const SECRET_NAME = String.raw`(?:token|secrets?|(?<![a-z])pass|passw(?:or)?ds?|passphrase|passwd|pwd|api[-_]?keys?|access[-_]?keys?|private[-_]?keys?|密码|口令|令牌|密钥|credentials?|authorization|auth|cookie|signature|session[-_]?id|serial(?:[-_ ]?(?:number|no))?|machine[-_]?id)`
const SECRET_NAME_ONLY = new RegExp(`${SECRET_NAME}$`, 'i')

function isSecretName(name: string): boolean {
  return SECRET_NAME_ONLY.test(name)
}

const OCTET = String.raw`(?:25[0-5]|2[0-4]\d|1?\d?\d)`
/** Hosts that tell nothing about whose machine it is. */
const PUBLIC_HOSTS =
  /^(?:localhost|127(?:\.\d+){3}|0\.0\.0\.0|\[::1?\]|(?:[\w.-]+\.)?(?:huggingface\.co|hf\.co|hf-mirror\.com|modelscope\.cn|modelscope\.ai|github\.com|githubusercontent\.com|pypi\.org|pythonhosted\.org|npmjs\.(?:com|org)|nodejs\.org|nvidia\.com|deepseek\.com|openai\.com|ollama\.com|example\.(?:com|org|net)))$/i
const TOP_DOMAINS =
  'com|cn|net|org|io|internal|local|localdomain|lan|corp|intranet|home|private|test|edu|gov|mil|dev|cloud|ai|co|uk|de|jp|kr|fr|ru|tw|hk|sg|xyz|top|info|biz|us|eu|ch|tech|site|online|app|consul|svc'

/**
 * In order: what holds others comes first. Each is linear: it begins with a fixed text, or cannot begin inside what it would itself read
 * (a log may hold anything, and is long).
 */
const RULES: readonly Rule[] = [
  [/-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|$)/g, HIDDEN],
  // `Authorization: Bearer x`, `"authorization":"Basic x"`, `Cookie: a=b; c=d`.
  [/(authorization|cookie)(\\?["']?\s{0,9}[:=]\s{0,9}\\?["']?)[^"'\\\r\n]*/gi, `$1$2${HIDDEN}`],
  [/\b(bearer|basic|digest)\s{1,9}[\w+/.~=-]{6,}/gi, `$1 ${HIDDEN}`],
  // Anything up to the last @ before the path is credentials.
  [/(:\/\/)[^\s/"'<>]*@/g, `$1${HIDDEN}@`],
  // The same without a scheme, as proxies are often written: `user:word@proxy:3128`.
  [/(?<![\w.+%/:@-])[\w.+%-]{1,100}:[^\s@"'/:<>]{1,200}@(?:[\w.-]+|\[[\da-f:.]{2,45}\])/gi, `${HIDDEN}@<host>`],
  // `HF_TOKEN=x`, `"token": "x"`, `--hf-token x`, `?sig=x&token=x`, `Serial Number : x`.
  [
    new RegExp(
      String.raw`(${SECRET_NAME})(\\?["']?[^\S\n]{0,60}[:=：][^\S\n]{0,60})(?:\\"(?:[^"\\]|\\[^"])*|"(?:[^"\\]|\\.)*"?|'[^']*'?|[^\s"',;&}\])]+)`,
      'gi',
    ),
    `$1$2${HIDDEN}`,
  ],
  [new RegExp(String.raw`(--[\w-]{0,40}${SECRET_NAME})[^\S\n]{1,9}(?!-)(?:"[^"\n]*"?|'[^'\n]*'?|\S+)`, 'gi'), `$1 ${HIDDEN}`],
  [/([?&](?:sig|key|x-amz-[\w-]{1,40}|awsaccesskeyid|policy|key-pair-id)=)[^\s&"'<>]+/gi, `$1${HIDDEN}`],
  // Keys by their makers' prefixes; `bd_` is ours. Short prefixes end many words (task-, forms-).
  [/(?:hf_|ghp_|gho_|ghs_|ghu_|github_pat_|glpat-|nvapi-|gsk_|xai-|AKIA|ASIA|AIza|ya29\.)[\w.-]{6,}/g, HIDDEN],
  [/(?<![A-Za-z\d])(?:bd_|sk-|pk-|rk-|r8_|xox[a-z]-|npm_|pypi-|ms-)[\w.-]{6,}/g, HIDDEN],
  [/\beyJ[\w-]{4,}\.[\w-]{4,}(?:\.[\w-]*)?/g, HIDDEN],
  [/(?<![\p{L}\p{N}_.+-])[\p{L}\p{N}_.+-]+@[\p{L}\p{N}_-]+(?:\.[\p{L}\p{N}_-]+)+/gu, '<email>'],
  // `name@machine:~$`, `nas.office:/export/models`, `peer:machine`.
  [/(@)[a-z\d][\w.-]*(?=:[~/])/gi, '$1<host>'],
  [/(?<![\w./:\\@<-])[a-z\d]\w*[.-][\w.-]*(?=:\/\w)/gi, '<host>'],
  [/(\bpeer:)[^\s/"'`<>:,;]+/g, '$1<host>'],
  // Persons by their folders. A name may hold spaces on Windows and in the Finder.
  [/([a-z]:[\\/]{1,8}(?:users|用户|用戶|documents and settings)[\\/]{1,8})[^\\/:*?"<>|\r\n]+/gi, '$1<user>'],
  [/(\/Users\/)[^/"'`:;,<>()[\]{}|\r\n]+(?=\/)/g, '$1<user>'],
  [/(\/(?:home|users)\/)[^\s/"'`:;,<>()[\]{}|]+/gi, '$1<user>'],
  [/(%2F(?:home|users)%2F)[^\s/"'`%&]+/gi, '$1<user>'],
  // Disks bear the names of persons: automounted ones, and those of the Finder.
  [/(\/(?:run\/)?media\/)(?!cdrom)[^\s/"'`:;,<>()[\]{}|]+/g, '$1<user>'],
  [/(\/Volumes\/)(?!Macintosh HD)[^/"'`:;,<>()[\]{}|\r\n]+(?=\/)/g, '$1<disk>'],
  [/(\\\\|\/\/)([\w.-]+)(?=\\{1,2}[\w$])/g, '$1<host>'],
  // Machines by their numbers.
  [/[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}/gi, '<uuid>'],
  [/(?<![\da-f])(?:[\da-f]{2}[:-]){5,7}[\da-f]{2}(?![\da-f])/gi, '<mac>'],
  [/(?<!\w)(?:[\da-f]{1,4}:){7}[\da-f]{1,4}(?:%\w{1,20})?/gi, '<ip>'],
  [
    /(?<!\w)(?:[\da-f]{1,4}(?::[\da-f]{1,4}){0,6})?::(?:[\da-f]{1,4}(?::[\da-f]{1,4}){0,6})?(?:%\w{1,20})?(?!\w)/gi,
    (ip) => (ip === '::1' || ip === '::' ? ip : '<ip>'),
  ],
  [
    new RegExp(String.raw`(?<!\d)(?<!\d\.)${OCTET}(?:\.${OCTET}){3}(?!\d|\.\d)`, 'g'),
    (ip) => (/^(?:127\.|0\.0\.0\.0$)/.test(ip) ? ip : '<ip>'),
  ],
  [
    /(:\/\/(?:<hidden>@)?)([^\s/:"'<>?#[\]()]+|\[[^\]\s]{0,60}\])/g,
    (whole, before, host) => (PUBLIC_HOSTS.test(host ?? '') ? whole : `${before ?? ''}<host>`),
  ],
  [
    new RegExp(String.raw`(?<![\w./\\@<-])(?:[a-z\d][\w-]*\.)+(?:${TOP_DOMAINS})(?![\w-]|\.\w)`, 'gi'),
    (host) => (PUBLIC_HOSTS.test(host) ? host : '<host>'),
  ],
  // Whatever else looks like a key: long, without a dash, with a digit, and not a word.
  [/(?<![\w+])[\w+]{32,}={0,2}/g, (word) => (/\d/.test(word) ? HIDDEN : word)],
]

/** As it stands, as it stands inside an address or in JSON, and what it is when it was taken from an address. */
function spellings(secret: string): string[] {
  return [...new Set([secret, decoded(secret)].flatMap((text) => [text, encoded(text), JSON.stringify(text).slice(1, -1)]))]
}

/** Half a surrogate pair cannot be written in an address. */
function encoded(text: string): string {
  try {
    return encodeURIComponent(text)
  } catch {
    return text
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function wordOf(name: string): RegExp {
  const literal = name.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
  // Also in an address, where `/` is `%2F`.
  return new RegExp(`(?:(?<![\\p{L}\\p{N}])|(?<=%[\\da-f]{2}))${literal}(?![\\p{L}\\p{N}])`, 'giu')
}

function isTellingHost(name: string): boolean {
  return name.length >= 2 && !/^(localhost|local|host|linux)$/i.test(name)
}

/** Names that images ship with tell nothing, and stand in many texts for something else. */
function isTellingUser(name: string): boolean {
  return name.length >= 2 && !/^(root|user|ubuntu|debian|admin|node|runner|bendi|app|nobody|ec2-user|jovyan)$/i.test(name)
}
