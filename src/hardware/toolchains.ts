/** Programs that external engines are made with or run in: Python and its packages, CUDA's compiler, containers, build tools. */
import { z } from 'zod'

import { parseJson } from './parse-json.ts'
import { answer } from './system.ts'
import type { System } from './system.ts'

export interface Toolchains {
  /** Each Python that is found, the one that `python3` means first. */
  pythons: { command: string; version: string }[]
  /** Of the first Python: distribution → version. */
  packages: Readonly<Record<string, string>>
  /** CUDA that the installed torch was built for, e.g. `12.8`; `cpu` when for none; ROCm as `rocm6.3`. */
  torchBuild?: string
  /** Of nvcc, e.g. `12.4`. */
  cudaToolkit?: string
  /** Versions of cmake, gcc, git, git-lfs, uv, nvidia-ctk: those that are there. */
  tools: Readonly<Record<string, string>>
  container?: ContainerRuntime
}

export interface ContainerRuntime {
  name: 'docker' | 'podman'
  version: string
  state: 'running' | 'not-running' | 'no-permission'
  /** Containers may be given NVIDIA cards: a runtime of that name, or a CDI description. */
  hasNvidia: boolean
}

const PYTHONS = ['python3', 'python', 'python3.10', 'python3.11', 'python3.12', 'python3.13']

/** Never throws; 3 s at most. */
export async function probeToolchains(system: System): Promise<Toolchains> {
  const [pythons, environment, nvcc, tools, container] = await Promise.all([
    findPythons(system),
    readPackages(system),
    version(system, 'nvcc', ['--version'], /release (\d+\.\d+)/),
    findTools(system),
    findContainer(system),
  ])
  return {
    pythons,
    packages: environment.packages,
    ...(environment.torch === undefined ? {} : { torchBuild: environment.torch }),
    ...(nvcc === undefined ? {} : { cudaToolkit: nvcc }),
    tools,
    ...(container === undefined ? {} : { container }),
  }
}

async function findPythons(system: System): Promise<Toolchains['pythons']> {
  const commands = system.platform === 'win32' ? ['python', 'py'] : PYTHONS
  const found = await Promise.all(
    commands.map(async (command) => ({ command, version: await version(system, command, ['--version'], /Python (\d+\.\d+\.\d+)/) })),
  )
  const known = found.flatMap((python) => (python.version === undefined ? [] : [{ command: python.command, version: python.version }]))
  return known.filter((python, index) => known.findIndex((other) => other.version === python.version) === index)
}

async function version(system: System, command: string, args: readonly string[], pattern: RegExp): Promise<string | undefined> {
  const { code, stdout, stderr } = await answer(system, command, args)
  return code === 0 ? pattern.exec(`${stdout}\n${stderr}`)?.[1] : undefined
}

/** Reads what pip noted, and torch's version file as text: importing torch takes many seconds. Run isolated from the current folder. */
const PACKAGES_SCRIPT = [
  'import json,re,os',
  'import importlib.metadata as m',
  "names='pip torch triton transformers vllm vllm-ascend sglang lmdeploy tensorrt_llm torch_npu flashinfer-python xinference'.split()",
  'found={}',
  'for n in names:',
  ' try: found[n]=m.version(n)',
  ' except Exception: pass',
  'build=None',
  'try:',
  " p=str(m.distribution('torch').locate_file('torch/version.py'))",
  ' t=open(p).read()',
  ` c=re.search(r"^cuda[^=]*= *'([\\d.]+)'",t,re.M)`,
  ` h=re.search(r"^hip[^=]*= *'(\\d+\\.\\d+)",t,re.M)`,
  " build=c.group(1) if c else 'rocm'+h.group(1) if h else 'cpu'",
  'except Exception: pass',
  "print(json.dumps({'packages':found,'torch':build}))",
].join('\n')

const PackagesSchema = z.object({ packages: z.record(z.string(), z.string()), torch: z.string().nullable() })

async function readPackages(system: System): Promise<{ packages: Record<string, string>; torch?: string }> {
  const { stdout } = await answer(system, system.platform === 'win32' ? 'python' : 'python3', ['-I', '-c', PACKAGES_SCRIPT])
  const parsed = PackagesSchema.safeParse(parseJson(stdout))
  if (!parsed.success) return { packages: {} }
  return { packages: parsed.data.packages, ...(parsed.data.torch === null ? {} : { torch: parsed.data.torch }) }
}

const TOOLS: readonly (readonly [name: string, args: readonly string[], pattern: RegExp])[] = [
  ['uv', ['--version'], /uv (\d+\.\d+\.\d+)/],
  ['cmake', ['--version'], /cmake version (\d+\.\d+\.\d+)/],
  ['gcc', ['-dumpfullversion'], /(\d+\.\d+\.\d+)/],
  ['git', ['--version'], /git version (\d+\.\d+(?:\.\d+)?)/],
  ['git-lfs', ['version'], /git-lfs\/(\d+\.\d+\.\d+)/],
  ['nvidia-ctk', ['--version'], /version (\d+\.\d+\.\d+)/],
]

async function findTools(system: System): Promise<Record<string, string>> {
  const found = await Promise.all(TOOLS.map(async ([name, args, pattern]) => [name, await version(system, name, args, pattern)] as const))
  return Object.fromEntries(found.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])))
}

async function findContainer(system: System): Promise<ContainerRuntime | undefined> {
  const [docker, info, podman, cdi] = await Promise.all([
    version(system, 'docker', ['--version'], /version (\d+\.\d+\.\d+)/),
    answer(system, 'docker', ['info', '--format', '{{json .Runtimes}}']),
    version(system, 'podman', ['--version'], /version (\d+\.\d+\.\d+)/),
    system.readFolder('/etc/cdi'),
  ])
  const hasCdi = cdi.some((name) => name.startsWith('nvidia'))
  if (docker !== undefined) {
    const isRunning = info.code === 0 && info.stdout.trim().startsWith('{')
    const state = isRunning ? 'running' : /permission denied/i.test(info.stderr) ? 'no-permission' : 'not-running'
    return { name: 'docker', version: docker, state, hasNvidia: hasCdi || /"nvidia"/.test(info.stdout) }
  }
  return podman === undefined ? undefined : { name: 'podman', version: podman, state: 'running', hasNvidia: hasCdi }
}
