/** bendi's own API in one table; the server, the client and the documentation are made from it. */
import { z } from 'zod'
import {
  CatalogueAnswerSchema,
  CatalogueModelSchema,
  CatalogueQuerySchema,
  DeploymentSchema,
  DiskUsageSchema,
  FindingSchema,
  FolderSchema,
  FoundModelSchema,
  HardwareSchema,
  ModelSchema,
  PullSchema,
  StartDeploymentSchema,
  StartPullSchema,
  StatusSchema,
} from './api.ts'
import { PlanAnswerSchema, PlanQuerySchema } from './plan.ts'

export interface Route {
  method: 'GET' | 'POST' | 'DELETE'
  /** Parameters as `:name`; their values are percent-encoded, since model names hold slashes. */
  path: string
  summary: string
  body?: z.ZodType
  /** Parameters after the `?`; all optional. */
  query?: z.ZodType
  /** Absent for an event stream of `events`. */
  response?: z.ZodType
  /** Each Server-Sent Event's data. */
  events?: z.ZodType
}

export const routes = {
  status: { method: 'GET', path: '/api/status', summary: 'The server itself', response: StatusSchema },
  hardware: { method: 'GET', path: '/api/hardware', summary: 'What this machine has', response: HardwareSchema },
  doctor: { method: 'GET', path: '/api/doctor', summary: 'Findings about this machine, with remedies', response: z.array(FindingSchema) },
  listModels: { method: 'GET', path: '/api/models', summary: 'Models in the library', response: z.array(ModelSchema) },
  showModel: { method: 'GET', path: '/api/models/:model', summary: 'One model', response: ModelSchema },
  removeModel: { method: 'DELETE', path: '/api/models/:model', summary: 'Delete a model that is not in use', response: ModelSchema },
  listCatalogue: {
    method: 'GET',
    path: '/api/catalogue',
    summary: 'Models that the catalogue knows, by words, family, task and size',
    query: CatalogueQuerySchema,
    response: CatalogueAnswerSchema,
  },
  showCatalogue: {
    method: 'GET',
    path: '/api/catalogue/:id',
    summary: 'One model of the catalogue: lineage, licence, advice',
    response: CatalogueModelSchema,
  },
  listFound: { method: 'GET', path: '/api/found', summary: "Models in other programs' stores", response: z.array(FoundModelSchema) },
  diskUsage: { method: 'GET', path: '/api/disk-usage', summary: 'What models take on the disks', response: DiskUsageSchema },
  moveModel: {
    method: 'POST',
    path: '/api/models/:model/move',
    summary: 'Move a model that is not in use to another folder of models',
    body: FolderSchema,
    response: ModelSchema,
  },
  exportModel: {
    method: 'POST',
    path: '/api/models/:model/export',
    summary: 'Copy a model into a plain folder with its manifest',
    body: FolderSchema,
    response: z.strictObject({ folder: z.string() }),
  },
  importModels: {
    method: 'POST',
    path: '/api/import',
    summary: 'Take models from a folder into the library',
    body: FolderSchema,
    response: z.array(ModelSchema),
  },
  plan: {
    method: 'POST',
    path: '/api/plan',
    summary: 'What a model would need here or on a described machine; without a model: which ones suit it',
    body: PlanQuerySchema,
    response: PlanAnswerSchema,
  },
  planQuery: {
    method: 'GET',
    path: '/api/plan',
    summary: 'The same, with a query',
    query: PlanQuerySchema,
    response: PlanAnswerSchema,
  },
  listPulls: { method: 'GET', path: '/api/pulls', summary: 'Downloads of this server', response: z.array(PullSchema) },
  startPull: {
    method: 'POST',
    path: '/api/pulls',
    summary: 'Download a model',
    body: StartPullSchema,
    response: PullSchema,
  },
  watchPull: { method: 'GET', path: '/api/pulls/:id/events', summary: 'Progress until it ends', events: PullSchema },
  cancelPull: { method: 'DELETE', path: '/api/pulls/:id', summary: 'Cancel; what has arrived is kept', response: PullSchema },
  pausePull: { method: 'POST', path: '/api/pulls/:id/pause', summary: 'Stop for now; what has arrived is kept', response: PullSchema },
  resumePull: { method: 'POST', path: '/api/pulls/:id/resume', summary: 'Go on with a download that was paused', response: PullSchema },
  listDeployments: {
    method: 'GET',
    path: '/api/deployments',
    summary: 'Models that run, or tried to',
    response: z.array(DeploymentSchema),
  },
  startDeployment: {
    method: 'POST',
    path: '/api/deployments',
    summary: 'Start a model and wait until it is ready',
    body: StartDeploymentSchema,
    response: DeploymentSchema,
  },
  stopDeployment: { method: 'DELETE', path: '/api/deployments/:model', summary: 'Drain and stop a model', response: DeploymentSchema },
  closeThought: {
    method: 'POST',
    path: '/api/requests/:id/close-thought',
    summary: 'Stop thinking and answer now; false when the request is not running, or is not thinking',
    response: z.strictObject({ closed: z.boolean() }),
  },
} as const satisfies Record<string, Route>

export type RouteName = keyof typeof routes
