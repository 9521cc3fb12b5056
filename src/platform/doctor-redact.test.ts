import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { effortOf } from '../../test/fixtures/effort.ts'
import { redactText, redactValue } from './doctor-redact.ts'

/** A moment; what grows with the square takes hundreds. */
const EFFORT_MAX = 40

describe('what must not leave a machine', () => {
  it.each([
    ['a Hugging Face token', 'login with hf_aBcDeFgHiJkLmNoPqRsT done', 'hf_aBcDeFgHiJkLmNoPqRsT'],
    ['an OpenAI key', '{"key":"sk-proj-abc123DEF456"}', 'abc123DEF456'],
    ['our own key', 'Principal bd_9f8e7d6c5b4a', '9f8e7d6c5b4a'],
    ['a bearer token', 'authorization: Bearer abc.def-ghi', 'abc.def-ghi'],
    ['a basic login in JSON', '{"Authorization":"Basic dXNlcjpwYXNz"}', 'dXNlcjpwYXNz'],
    ['a cookie', 'Set-Cookie: session=tiger; Path=/', 'tiger'],
    ['a proxy password with an @', 'HTTPS_PROXY=http://li:p@ss@proxy.corp:8080', 'p@ss'],
    ['a flag', 'argv: bendi pull x --hf-token secret9', 'secret9'],
    ['a quoted variable', 'export MODELSCOPE_API_TOKEN="two words"', 'two words'],
    ['an escaped field', String.raw`body={\"password\":\"hunter2\"}`, 'hunter2'],
    ['a signed address', 'https://cdn.example.com/x?X-Amz-Signature=deadbeef01&Policy=abc', 'deadbeef01'],
    ['a JSON web token', 'id eyJhbGciOi.eyJzdWIiOiIx.c2lnbmF0', 'eyJzdWIiOiIx'],
    ['a private key', '-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blbn\n-----END OPENSSH PRIVATE KEY-----', 'b3Blbn'],
    ['a Linux home', 'cannot open /home/zhangsan/.cache/x', 'zhangsan'],
    ['a Mac home', '"/Users/Li Wei/Library"', 'Users/Li '],
    ['a Windows home', String.raw`C:\Users\Zhang San\AppData\Local`, 'Zhang San'],
    ['an escaped Windows home', String.raw`"C:\\Users\\张三\\models"`, '张三'],
    ['a WSL home', '/mnt/c/Users/wang/models', 'wang'],
    ['a share', String.raw`\\fileserver7\models`, 'fileserver7'],
    ['an email', 'From: li.wei@corp.example', 'li.wei'],
    ['an IPv4 address', 'connect ECONNREFUSED 10.20.30.40:443', '10.20.30.40'],
    ['an IPv6 address', 'listen fe80::1ff:fe23:4567:890a%eth0', '1ff:fe23'],
    ['a full IPv6 address', '2001:0db8:85a3:0000:0000:8a2e:0370:7334', '8a2e'],
    ['a MAC address', 'ether 52:54:00:12:34:56', '52:54'],
    ['a UUID', 'GPU-1ffe36ef-ac55-60ad-f9cf-623871e7736d', '1ffe36ef'],
    ['a serial number', 'Serial Number                         : 0324217004816', '0324217004816'],
    ['a serial element', '"serial": "1652123001234"', '1652123001234'],
    ['a machine id', 'machine-id=6f7c2b1e9a0d4c3f8e7d6c5b4a392817', '6f7c2b1e'],
    ['a host in an address', 'GET http://gpu-box-17:8400/v1/models', 'gpu-box-17'],
    ['a host by its name', 'getaddrinfo ENOTFOUND registry.intra.acme.corp', 'acme'],
    ['a proxy without a scheme', 'HTTPS_PROXY=li:hunter2@proxy:3128', 'hunter2'],
    ['the host of a proxy without a scheme', 'via li:hunter2@gate.acme.intern:3128', 'acme'],
    ['a flag with words', 'argv: --api-key "two words" next', 'words"'],
    ['a short name of a secret', 'login pass=hunter2', 'hunter2'],
    ['a list of keys', '"api_keys": "tiger9"', 'tiger9'],
    ['a Chinese name of a secret', '密码：hunter2', 'hunter2'],
    ['a Chinese email', '联系 张三@公司.中国', '张三'],
    ['an encoded home', 'GET /files?path=%2Fhome%2Fzhangsan%2Fm', 'zhangsan'],
    ['a Chinese Windows home', String.raw`D:\用户\张三\模型`, '张三'],
    ['a disk of a person', '/media/zhangsan/USB/m.gguf', 'zhangsan'],
    ['a disk of the Finder', '/Volumes/Li Wei Backup/m.gguf', 'Li Wei'],
    ['a prompt', 'root@build-server-01:~$ ls', 'build-server-01'],
    ['a network folder', 'nas.office:/export/models', 'nas.office'],
    ['a peer', 'pull peer:nas-wang/qwen3', 'nas-wang'],
  ])('%s', (_, text, secret) => {
    expect(text).toContain(secret)
    expect(redactText(text)).not.toContain(secret)
  })

  it('what helps stays', () => {
    for (const text of [
      'haswell 12 ms, 4096 tokens, context=8192, parallel: 4, tokens: 17',
      'https://huggingface.co/deepseek-ai/DeepSeek-R1/resolve/main/config.json',
      'http://127.0.0.1:8400/v1/models ::1 0.0.0.0:8400',
      'DeepSeek-R1-Distill-Qwen-1.5B-Q4_K_M-00001-of-00003.gguf at 12:34:56',
      'NVIDIA H100 80GB HBM3, driver 580.126.20, CUDA 13.0, /usr/lib/x86_64-linux-gnu/libcuda.so.1',
      'error at /opt/bendi/dist/engine/llama/worker.js:120:17 std::vector',
      '2026-11-22T13:04:26.000Z info  loaded model=smollm2:135m ms=812',
      '模型站点：无响应；磁盘剩余 78.6 GB',
    ])
      expect(redactText(text)).toBe(text)
  })

  it('names of this machine and person go as words, whatever the case', () => {
    const options = { hostNames: ['Atlas-9', 'localhost'], userNames: ['zhangsan', 'root', '李'] }
    expect(redactText('atlas-9 root zhangsan’s zhangsanity localhost', options)).toBe('<host> root <user>’s zhangsanity localhost')
  })

  it('fields with telling names lose their values, and everything else keeps its shape', () => {
    expect(
      redactValue({
        hfToken: 'x',
        auth: { tokens: 5 },
        serial: 165,
        cookie: ['a'],
        token: true,
        list: ['/home/li/x', 7, null, true],
        '10.0.0.7': 'a',
      }),
    ).toEqual({
      hfToken: '<hidden>',
      auth: { tokens: 5 },
      serial: '<hidden>',
      cookie: '<hidden>',
      token: true,
      list: ['/home/<user>/x', 7, null, true],
      '<ip>': 'a',
    })
  })
})

describe('planted at random', () => {
  const alphabet = [...'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789']
  const word = (least: number, most: number): fc.Arbitrary<string> =>
    fc.array(fc.constantFrom(...alphabet), { minLength: least, maxLength: most }).map((letters) => letters.join(''))
  const byte = fc.nat(255)
  /** A text with a secret inside, and the secret. */
  const planted = fc.oneof(
    fc.tuple(fc.constantFrom('hf_', 'sk-', 'bd_', 'ghp_', 'sk-proj-', 'ms-'), word(8, 40)).map(([prefix, rest]) => [prefix + rest, rest]),
    word(6, 30).map((secret) => [`Authorization: Bearer ${secret}`, secret]),
    word(6, 30).map((secret) => [`{"api_key":"${secret}"}`, secret]),
    fc
      .tuple(fc.constantFrom('HF_TOKEN', 'password', 'client_secret', 'access-key', 'Cookie'), word(6, 30))
      .map(([name, secret]) => [`${name}=${secret}`, secret]),
    fc.tuple(word(6, 12), word(6, 20)).map(([user, secret]) => [`socks5://${user}:${secret}@proxy:1080/`, secret]),
    word(6, 12).map((name) => [`/home/${name}/models/a.gguf`, name]),
    word(6, 12).map((name) => [String.raw`C:\Users\${name}\x`, name]),
    word(6, 12).map((name) => [`/Users/${name}`, name]),
    fc.tuple(fc.integer({ min: 11, max: 126 }), byte, byte, byte).map((parts) => [parts.join('.'), parts.join('.')]),
    fc.array(byte, { minLength: 6, maxLength: 6 }).map((bytes) => {
      const mac = bytes.map((value) => value.toString(16).padStart(2, '0')).join(':')
      return [mac, mac]
    }),
    fc.uuid().map((id) => [id, id]),
    word(6, 14).map((name) => [`http://${name}:8400/x`, name]),
    word(6, 14).map((name) => [`ENOTFOUND ${name}.corp`, name]),
  )
  const around = fc.constantFrom('', ' ', '"', "'", '\n', '(', ')', ', ', '：', '。', ' at ', ': ', '[', ']', '\t')

  it('never comes out of a text', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(around, planted, around), { minLength: 1, maxLength: 4 }), (pieces) => {
        // A blank between the pieces, for two glued together are another text.
        const text = pieces.map(([before, [sample], after]) => `${before}${sample}${after}`).join(' ')
        const clean = redactText(text)
        for (const [, [, secret]] of pieces) expect(clean).not.toContain(secret)
      }),
      { numRuns: 600 },
    )
  })

  it('never comes out of a structure, as a value or a name', () => {
    fc.assert(
      fc.property(planted, planted, ([first, one], [second, two]) => {
        const clean = JSON.stringify(redactValue({ log: [`x ${first} y`], [`k ${second}`]: { deep: { er: second } } }))
        expect(clean).not.toContain(one)
        expect(clean).not.toContain(two)
      }),
      { numRuns: 500 },
    )
  })

  it('the password of a proxy goes as it is written there, and as it is', () => {
    const clean = redactText('auth failed: p@ss word; sent p%40ss%20word', { secrets: ['p%40ss%20word'] })
    expect(clean).not.toMatch(/ss word|ss%20word/)
    expect(() => redactText('x', { secrets: ['100%', '\uD800abcd'] })).not.toThrow()
  })

  it('known secrets go in whatever spelling', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 5, maxLength: 40 }), fc.string({ maxLength: 20 }), (secret, other) => {
        const options = { secrets: [secret] }
        fc.pre(secret.trim().length >= 5 && !'<hidden>'.includes(secret))
        const text = `${other} ${encodeURIComponent(secret)} ${JSON.stringify({ value: secret })}`
        const clean = redactText(text, options)
        expect(clean.replaceAll('<hidden>', '')).not.toContain(secret)
      }),
      { numRuns: 500 },
    )
  })

  it('takes no more than a blink for a long line, whatever stands in it', async () => {
    for (const piece of [
      'a',
      ':',
      '/',
      'a.',
      'token=',
      '1.',
      'ab:',
      '-',
      '"\\',
      'http://',
      '\\\\a',
      'x@',
      'token ',
      '"token":\\"',
      'c:\\\\users',
      'a-',
      '::',
      'ab',
      '--',
      '-----BEGIN PRIVATE KEY-----',
      '://x',
      'hf_',
      'eyJaaaa.',
      '/Users/a ',
    ]) {
      const text = piece.repeat(Math.floor(30_000 / piece.length))
      expect(await effortOf(() => redactText(text), EFFORT_MAX), JSON.stringify(piece)).toBeLessThan(EFFORT_MAX)
    }
  })
})
