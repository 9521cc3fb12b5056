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
}

export function launchCommand(launch: Launch): string {
  const { wishes, data } = launch
  const isSglang = wishes.engine === 'sglang'
  if (data > 1) return isSglang ? sglangCopies(launch) : vllmCopies(launch)
  return tensorParallel(launch)
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
