/** Which models a chat can use, with what is known of each. */
import type { Deployment, DeploymentState, Model } from '../../../src/shared/api.ts'
import { useDeployments, useModelNames, useModels } from '../api/queries.ts'
import { lastModel } from './conversations.ts'

export interface ModelOption {
  name: string
  state: DeploymentState
  title?: string
  quantization?: string
  bytes?: number
}

export interface ModelOptions {
  options: ModelOption[]
  /** The server has told. */
  known: boolean
}

export function useModelOptions(): ModelOptions {
  const names = useModelNames()
  const { data: deployments = [] } = useDeployments()
  const { data: models = [] } = useModels()
  return { options: (names.data ?? []).map((name) => optionOf(name, deployments, models)), known: names.data !== undefined }
}

/** Until the server has told: what was wished. The chat's own, if it still exists; else the last one used; else one that runs; else any. */
export function chooseModel({ options, known }: ModelOptions, wished: string | undefined): string | undefined {
  if (!known) return wished ?? lastModel()
  const exists = (name: string | undefined): string | undefined => options.find((option) => option.name === name)?.name
  return exists(wished) ?? exists(lastModel()) ?? options.find(({ state }) => state === 'ready')?.name ?? options[0]?.name
}

function optionOf(name: string, deployments: readonly Deployment[], models: readonly Model[]): ModelOption {
  const model = models.find((candidate) => candidate.name === name || candidate.reference === name)
  const deployment = deployments.find((candidate) => candidate.model === name || candidate.model === model?.name)
  return {
    name,
    state: deployment?.state ?? 'stopped',
    ...(model ? { title: model.title, quantization: model.quantization, bytes: model.bytes } : {}),
  }
}
