/** Which names of a pickle are what a list of weights needs, and which could run programs. */
import type { PickledName } from './pickle-value.ts'

/** `harmless`: only makes data. `dangerous`: known to run programs or reach files and hosts. `unknown`: might. */
export type NameJudgement = 'harmless' | 'dangerous' | 'unknown'

/** As torch's own `weights_only` list (torch/_weights_only_unpickler.py), and numpy's for arrays. */
const HARMLESS: readonly RegExp[] = [
  /^torch\._utils\._rebuild_(tensor|tensor_v2|tensor_v3|parameter|parameter_with_state|qtensor|sparse_tensor|meta_tensor_no_storage|wrapper_subclass)$/,
  /^torch\._tensor\._rebuild_from_type_v2$/,
  /^torch\.(Double|Float|Half|BFloat16|Long|Int|Short|Char|Byte|Bool|ComplexFloat|ComplexDouble|QInt8|QUInt8|QInt32)Storage$/,
  /^torch\.storage\.(UntypedStorage|TypedStorage|_LegacyStorage)$/,
  /^torch\.(float64|float32|float16|bfloat16|int64|int32|int16|int8|uint8|uint16|uint32|uint64|bool|complex64|complex128|float8_e4m3fn|float8_e5m2|float8_e8m0fnu|float4_e2m1fn_x2|qint8|quint8|qint32|strided|contiguous_format|Size|Tensor|device)$/,
  /^torch\.nn\.parameter\.(Parameter|Buffer)$/,
  /^torch\.serialization\._get_layout$/,
  /^collections\.(OrderedDict|Counter|defaultdict)$/,
  /^(__builtin__|builtins)\.(set|frozenset|list|dict|tuple|int|float|complex|bool|str|bytes|bytearray|slice|range)$/,
  /^numpy(\._?core)?\.(multiarray\.(_reconstruct|scalar)|ndarray|dtype|_core\.multiarray\.(_reconstruct|scalar))$/,
  /^numpy\.(_core|core)\.numeric\._frombuffer$/,
  /^_codecs\.encode$/,
  /^copy_?reg\._reconstructor$/,
  /^argparse\.Namespace$/,
]

const DANGEROUS: readonly RegExp[] = [
  /^(os|posix|nt|sys|subprocess|pty|commands|popen2|shutil|socket|socketserver|http|urllib|urllib2|requests|ftplib|smtplib|telnetlib|webbrowser|ctypes|_ctypes|multiprocessing|threading|_thread|asyncio|importlib|imp|runpy|code|codeop|pdb|bdb|timeit|cProfile|profile|trace|platform|pickle|_pickle|marshal|shelve|pip|setuptools|distutils|tempfile|pathlib|glob|fileinput|signal|resource|mmap|gc|inspect|types|operator|functools|builtins_|linecache|tokenize|doctest|unittest|zipimport|pkgutil|pkg_resources|venv|ensurepip|lib2to3|idlelib|turtle|tkinter|sqlite3|ssl|logging\.config)(\.|$)/,
  /^(__builtin__|builtins)\.(eval|exec|execfile|compile|open|file|__import__|getattr|setattr|delattr|globals|locals|vars|input|breakpoint|apply|map|filter|reduce|type|object|memoryview|super)/,
  /^(torch\.(load|hub|jit|utils|package|distributed|multiprocessing|_inductor|compile|fx|cuda|ops|classes)|numpy\.(load|testing|f2py|distutils|lib))(\.|$)/,
  /^(__main__|webbrowser|antigravity)\./,
  /system|popen|spawn|execv|exec\b|eval\b|__reduce|__import__|__globals__|__subclasses__|__getattribute__/i,
]

export function judgeName(name: string): NameJudgement {
  // An extension code or a name that was put together: only Python would know what it is.
  if (DANGEROUS.some((pattern) => pattern.test(name))) return 'dangerous'
  return HARMLESS.some((pattern) => pattern.test(name)) ? 'harmless' : 'unknown'
}

/** Those that are not harmless, worst first; a call says more than an import of the same name. */
export function suspiciousNames(names: readonly PickledName[]): (PickledName & { judgement: 'dangerous' | 'unknown' })[] {
  const called = new Set(names.filter(({ use }) => use === 'call').map(({ name }) => name))
  return names
    .flatMap((item) => {
      const judgement = judgeName(item.name.replace(/\(…\)$/, ''))
      if (judgement === 'harmless' || item.use === 'build' || (item.use === 'import' && called.has(item.name))) return []
      return [{ ...item, judgement }]
    })
    .toSorted((a, b) => (a.judgement === b.judgement ? 0 : a.judgement === 'dangerous' ? -1 : 1))
}
