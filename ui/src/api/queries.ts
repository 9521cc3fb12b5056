/** What the page knows of the server, by TanStack Query. One key a resource; live things are asked again while they change. */
import { QueryClient, useMutation, useQuery, useQueryClient, type UseMutationResult, type UseQueryResult } from '@tanstack/react-query'
import type { Deployment, Finding, Hardware, Model, Pull, StartDeployment, Status } from '../../../src/shared/api.ts'
import { client, isConnectionError } from './client.ts'

/** ms between questions: while something starts or stops, and otherwise. */
const BUSY_POLL_MS = 1000
const IDLE_POLL_MS = 10_000
/** While something downloads. */
const PULL_POLL_MS = 500
/** While the server cannot be reached. */
const LOST_POLL_MS = 3000

const keys = {
  status: ['status'],
  hardware: ['hardware'],
  doctor: ['doctor'],
  models: ['models'],
  names: ['names'],
  deployments: ['deployments'],
  pulls: ['pulls'],
} as const

export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: { staleTime: 5000, retry: (failures, error) => !isConnectionError(error) && failures < 1, networkMode: 'always' },
      mutations: { networkMode: 'always' },
    },
  })
}

export function useDeployments(): UseQueryResult<Deployment[]> {
  return useQuery({
    queryKey: keys.deployments,
    queryFn: ({ signal }) => client.call('listDeployments', { signal }),
    refetchInterval: ({ state }) => {
      if (state.status === 'error') return LOST_POLL_MS
      return state.data?.some((deployment) => isChanging(deployment)) ? BUSY_POLL_MS : IDLE_POLL_MS
    },
  })
}

/** Names that requests may use; the server lists running ones first. */
export function useModelNames(): UseQueryResult<string[]> {
  return useQuery({
    queryKey: keys.names,
    queryFn: async ({ signal }) => (await client.modelNames(signal)).data.map(({ id }) => id),
    refetchInterval: IDLE_POLL_MS,
  })
}

export function useModels(): UseQueryResult<Model[]> {
  return useQuery({ queryKey: keys.models, queryFn: ({ signal }) => client.call('listModels', { signal }), refetchInterval: IDLE_POLL_MS })
}

export function useStatus(): UseQueryResult<Status> {
  return useQuery({ queryKey: keys.status, queryFn: ({ signal }) => client.call('status', { signal }), refetchInterval: IDLE_POLL_MS })
}

export function useHardware(): UseQueryResult<Hardware> {
  return useQuery({ queryKey: keys.hardware, queryFn: ({ signal }) => client.call('hardware', { signal }), refetchInterval: IDLE_POLL_MS })
}

export function useDoctor(): UseQueryResult<Finding[]> {
  return useQuery({ queryKey: keys.doctor, queryFn: ({ signal }) => client.call('doctor', { signal }), staleTime: 60_000 })
}

/**
 * Downloads, live. One question for all of them instead of an event stream each: a browser opens six connections to a server,
 * and with six streams open nothing else would get through.
 */
export function usePulls(): UseQueryResult<Pull[]> {
  const queries = useQueryClient()
  const onEnd = useRefresh('models', 'names')
  return useQuery({
    queryKey: keys.pulls,
    queryFn: async ({ signal }) => {
      const before = queries.getQueryData<Pull[]>(keys.pulls)
      const pulls = await client.call('listPulls', { signal })
      if (before?.some((pull) => isUnderWay(pull) && !pulls.some((now) => now.id === pull.id && isUnderWay(now)))) onEnd()
      return pulls
    },
    refetchInterval: ({ state }) => {
      if (state.status === 'error') return LOST_POLL_MS
      return state.data?.some((pull) => isUnderWay(pull) && pull.state !== 'paused') ? PULL_POLL_MS : IDLE_POLL_MS
    },
  })
}

export function useStartDeployment(): UseMutationResult<Deployment, Error, StartDeployment> {
  const refresh = useRefresh('deployments', 'names')
  return useMutation({ mutationFn: (body) => client.call('startDeployment', { body }), onMutate: () => soon(refresh), onSettled: refresh })
}

export function useStopDeployment(): UseMutationResult<Deployment, Error, string> {
  const refresh = useRefresh('deployments')
  return useMutation({
    mutationFn: (model) => client.call('stopDeployment', { params: { model } }),
    onMutate: () => soon(refresh),
    onSettled: refresh,
  })
}

export function useRemoveModel(): UseMutationResult<Model, Error, string> {
  return useMutation({
    mutationFn: (model) => client.call('removeModel', { params: { model } }),
    onSettled: useRefresh('models', 'names', 'deployments'),
  })
}

export function useStartPull(): UseMutationResult<Pull, Error, string> {
  return useMutation({ mutationFn: (reference) => client.call('startPull', { body: { reference } }), onSettled: useRefresh('pulls') })
}

export function useCancelPull(): UseMutationResult<Pull, Error, string> {
  return useMutation({ mutationFn: (id) => client.call('cancelPull', { params: { id } }), onSettled: useRefresh('pulls') })
}

/** Pauses a download that runs, or goes on with one that was paused. */
export function usePausePull(): UseMutationResult<Pull, Error, Pull> {
  return useMutation({
    mutationFn: ({ id, state }) => client.call(state === 'paused' ? 'resumePull' : 'pausePull', { params: { id } }),
    onSettled: useRefresh('pulls'),
  })
}

/** Asks for the named resources again. */
function useRefresh(...names: (keyof typeof keys)[]): () => void {
  const queries = useQueryClient()
  return () => {
    for (const name of names) void queries.invalidateQueries({ queryKey: keys[name] })
  }
}

/** It has not come to its end. */
export function isUnderWay({ state }: Pull): boolean {
  return state !== 'done' && state !== 'failed' && state !== 'cancelled'
}

export function isChanging({ state }: Deployment): boolean {
  return state === 'starting' || state === 'draining'
}

/** A start waits until the model is ready: the list shows `starting` meanwhile. */
function soon(refresh: () => void): void {
  setTimeout(refresh, 150)
}
