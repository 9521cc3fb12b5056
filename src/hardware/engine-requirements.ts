/**
 * What the external engines need, as read in public pages until November 2026; every row says where.
 * What no page told is absent, not guessed: nothing is then checked. Older releases of an engine may need less.
 */
import type { Gpu } from '../shared/hardware.ts'

export const EXTERNAL_ENGINES = ['vllm', 'sglang', 'lmdeploy', 'tensorrt-llm', 'vllm-ascend'] as const
export type ExternalEngine = (typeof EXTERNAL_ENGINES)[number]

export interface EngineRequirement {
  title: string
  vendors: readonly Gpu['vendor'][]
  /** Oldest and newest Python, inclusive; without a newest any later one is taken. */
  python: readonly [oldest: string, newest?: string]
  /** Least compute capability of an NVIDIA card. */
  capability?: number
  /** CUDA of its published wheels, the default one first; the driver must know the major version of one of them. */
  cuda?: readonly string[]
  /** The release since which a wheel whose version names no CUDA is built for the first of `cuda`. */
  cudaSince?: string
  /** The PyTorch that its wheels are built with. */
  torch?: string
  glibc?: string
  /** Its Python package. */
  package: string
  /** Pages and threads where this was read. */
  sources: readonly string[]
}

export const ENGINE_REQUIREMENTS: Readonly<Record<ExternalEngine, EngineRequirement>> = {
  vllm: {
    title: 'vLLM',
    vendors: ['nvidia', 'amd', 'intel'],
    python: ['3.10', '3.13'],
    capability: 7.5,
    cuda: ['13.0', '12.9'],
    cudaSince: '0.24.0',
    torch: '2.13',
    glibc: '2.28',
    package: 'vllm',
    sources: [
      'docs v0.26.0, installation/gpu.md: Linux, Python 3.10 to 3.13',
      'docs main, installation/gpu.cuda.inc.md: capability 7.5 or higher',
      'vllm #44335: the wheel of the package index is built for CUDA 13.0 (0.24.0), one of CUDA 12.9 lies in the project’s own index',
      'vllm #55387 (September 2026): torch 2.13.0, base image manylinux2_28',
    ],
  },
  sglang: {
    title: 'SGLang',
    vendors: ['nvidia', 'amd', 'intel', 'moore-threads'],
    python: ['3.10'],
    capability: 7.5,
    cuda: ['13.0'],
    cudaSince: '0.5.20',
    package: 'sglang',
    sources: [
      'docs, install: Python 3.10 or higher; CUDA 13 is required, 0.5.19 is the last release for CUDA 12 (also sglang #38404)',
      'docs, quickstart: sm75 and above; hardware-platforms/mthreads_gpu: from source on Moore Threads',
    ],
  },
  lmdeploy: {
    title: 'LMDeploy',
    vendors: ['nvidia', 'ascend'],
    python: ['3.10', '3.13'],
    capability: 7,
    cuda: ['12.6'],
    package: 'lmdeploy',
    sources: [
      'docs, get_started/installation: Volta (sm70) and newer; the package of the index is compiled on CUDA 12',
      'lmdeploy #4117 (November 2025): Python 3.10 to 3.13; #4322 (February 2026): built with CUDA 12.6.2',
    ],
  },
  'tensorrt-llm': {
    title: 'TensorRT-LLM',
    vendors: ['nvidia'],
    python: ['3.10', '3.12'],
    capability: 8,
    cuda: ['13.1'],
    torch: '2.9',
    package: 'tensorrt_llm',
    sources: [
      'docs 1.2, Installing on Linux via pip: CUDA 13.1, torch 2.9.1 (cu130), tried with Python 3.12 on Ubuntu 24.04',
      'installation page of its mirror of documents: Python 3.10 or 3.12',
      'docs, Supported Hardware: A100 (Ampere) and newer',
    ],
  },
  'vllm-ascend': {
    title: 'vllm-ascend',
    vendors: ['ascend'],
    python: ['3.10', '3.12'],
    torch: '2.10',
    package: 'vllm-ascend',
    sources: ['docs v0.26.0rc1, installation: Python >= 3.10 and < 3.13, CANN 9.1.0, torch 2.10.0, torch-npu 2.10.0.post4'],
  },
}

/**
 * Least driver of each CUDA major version on Linux; Windows is about the same.
 * NVIDIA, CUDA Compatibility, "Minor Version Compatibility" (450, 525, 580), and the release notes for the whole number.
 */
export const LEAST_DRIVERS: Readonly<Record<string, string>> = { '11': '450.80.02', '12': '525.60.13', '13': '580.65.06' }
