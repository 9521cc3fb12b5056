/** The command that would start vLLM or SGLang as planned. Flags: shared facts engines.md 1.2, 2.2. */
import type { Wishes } from './planner-situation.ts'

export interface Launch {
  reference: string
  wishes: Wishes
  tensor: number
  pipeline: number
  data: number
  nodes: number
  hasExperts: boolean
  /** Flags that the model, its weights or the cards need. */
  needs?: LaunchNeeds
}

export interface LaunchNeeds {
  /** 16-bit weights are made FP8 while they are loaded. */
  makesFp8?: boolean
  /** Weights in 8-bit integers on Ascend cards. */
  isAscendInt8?: boolean
  /** V4 and V4.1 have no template of their own, and pages of fixed size. */
  tokenizer?: 'deepseek_v4' | 'deepseek_v41'
  /** Tokens of a page of V4's. */
  blockSize?: number
}

export function launchCommand(launch: Launch): string {
  const { wishes, data, needs = {} } = launch
  const isSglang = wishes.engine === 'sglang'
  const command = data > 1 ? (isSglang ? sglangCopies(launch) : vllmCopies(launch)) : tensorParallel(launch)
  return [command, ...neededFlags(needs, isSglang)].join(' ')
}

/** Source: shared facts engines.md 1.2 (vLLM recipes DeepSeek-V4-Flash.yaml), 2.2, 9. */
function neededFlags({ makesFp8, isAscendInt8, tokenizer, blockSize }: LaunchNeeds, isSglang: boolean): string[] {
  return [
    ...(makesFp8 === true ? ['--quantization fp8'] : []),
    ...(isAscendInt8 === true && !isSglang ? ['--quantization ascend'] : []),
    ...(tokenizer === undefined ? [] : ['--trust-remote-code']),
    ...(tokenizer === undefined || isSglang ? [] : [`--tokenizer-mode ${tokenizer}`]),
    ...(blockSize === undefined || isSglang ? [] : [`--block-size ${blockSize}`]),
  ]
}

function vllmCopies({ reference, wishes, data, nodes }: Launch): string {
  const several = nodes > 1 ? ` --data-parallel-size-local ${Math.ceil(data / nodes)} --data-parallel-address HOST` : ''
  return `vllm serve ${repositoryOf(reference)} --data-parallel-size ${data}${several} --enable-expert-parallel ${limits(wishes, data)}`
}

function limits({ context, users, kv }: Wishes, data: number): string {
  return `--max-model-len ${context} --max-num-seqs ${Math.ceil(users / data)}${kv === 'fp8' ? ' --kv-cache-dtype fp8' : ''}`
}

function sglangCopies({ reference, wishes, data, nodes }: Launch): string {
  const several = nodes > 1 ? ` --nnodes ${nodes} --node-rank 0 --dist-init-addr HOST:PORT` : ''
  const kv = wishes.kv === 'fp8' ? ' --kv-cache-dtype fp8_e4m3' : ''
  return `python3 -m sglang.launch_server --model-path ${repositoryOf(reference)} --tp ${data} --dp ${data} --enable-dp-attention --ep-size ${data}${several} --context-length ${wishes.context} --max-running-requests ${wishes.users}${kv}`
}

function repositoryOf(reference: string): string {
  return reference.replace(/^(hf|ms):/, '').replace(/[:@].*$/, '')
}

function tensorParallel({ reference, wishes, tensor, pipeline, hasExperts }: Launch): string {
  const repository = repositoryOf(reference)
  return wishes.engine === 'sglang'
    ? [
        `python3 -m sglang.launch_server --model-path ${repository} --tp ${tensor}`,
        ...(pipeline > 1 ? [`--pp-size ${pipeline} --nnodes ${pipeline} --node-rank 0 --dist-init-addr HOST:PORT`] : []),
        ...(hasExperts && tensor > 1 ? [`--ep-size ${tensor}`] : []),
        `--context-length ${wishes.context} --max-running-requests ${wishes.users}`,
        ...(wishes.kv === 'fp8' ? ['--kv-cache-dtype fp8_e4m3'] : []),
      ].join(' ')
    : [
        `vllm serve ${repository} --tensor-parallel-size ${tensor}`,
        ...(pipeline > 1 ? [`--pipeline-parallel-size ${pipeline} --nnodes ${pipeline} --node-rank 0 --master-addr HOST`] : []),
        ...(hasExperts && tensor > 1 ? ['--enable-expert-parallel'] : []),
        `--max-model-len ${wishes.context} --max-num-seqs ${wishes.users}`,
        ...(wishes.kv === 'fp8' ? ['--kv-cache-dtype fp8'] : []),
      ].join(' ')
}
