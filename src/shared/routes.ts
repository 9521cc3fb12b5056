/** bendi's own API in one table; the server, the client and the documentation are made from it. */
import { z } from 'zod'
import {
  CatalogueAnswerSchema,
  CatalogueModelSchema,
  CatalogueQuerySchema,
  CopySchema,
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
import type { Localized } from './language.ts'
import { PlanAnswerSchema, PlanQuerySchema } from './plan.ts'

export interface Route {
  method: 'GET' | 'POST' | 'DELETE'
  /** Parameters as `:name`; their values are percent-encoded, since model names hold slashes. */
  path: string
  summary: Localized
  body?: z.ZodType
  /** Parameters after the `?`; all optional. */
  query?: z.ZodType
  /** Absent for an event stream of `events`. */
  response?: z.ZodType
  /** Each Server-Sent Event's data. */
  events?: z.ZodType
}

export const routes = {
  status: { method: 'GET', path: '/api/status', summary: { en: 'The server itself', zh: '服务本身的状态' }, response: StatusSchema },
  hardware: { method: 'GET', path: '/api/hardware', summary: { en: 'What this machine has', zh: '本机的硬件' }, response: HardwareSchema },
  doctor: {
    method: 'GET',
    path: '/api/doctor',
    summary: { en: 'Findings about this machine, with remedies', zh: '对本机的检查结果及解决办法' },
    response: z.array(FindingSchema),
  },
  listModels: {
    method: 'GET',
    path: '/api/models',
    summary: { en: 'Models in the library', zh: '模型库中的模型' },
    response: z.array(ModelSchema),
  },
  showModel: { method: 'GET', path: '/api/models/:model', summary: { en: 'One model', zh: '单个模型' }, response: ModelSchema },
  removeModel: {
    method: 'DELETE',
    path: '/api/models/:model',
    summary: { en: 'Delete a model that is not in use', zh: '删除未在使用的模型' },
    response: ModelSchema,
  },
  listCatalogue: {
    method: 'GET',
    path: '/api/catalogue',
    summary: {
      en: 'Models that the catalogue knows, by words, family, task and size',
      zh: '目录中的模型，可按关键词、系列、用途和大小筛选',
    },
    query: CatalogueQuerySchema,
    response: CatalogueAnswerSchema,
  },
  showCatalogue: {
    method: 'GET',
    path: '/api/catalogue/:id',
    summary: { en: 'One model of the catalogue: lineage, licence, advice', zh: '目录中的单个模型：来源、许可协议、使用建议' },
    response: CatalogueModelSchema,
  },
  listFound: {
    method: 'GET',
    path: '/api/found',
    summary: { en: "Models in other programs' stores", zh: '其他程序存储中的模型' },
    response: z.array(FoundModelSchema),
  },
  diskUsage: {
    method: 'GET',
    path: '/api/disk-usage',
    summary: { en: 'What models take on the disks', zh: '模型占用的磁盘空间' },
    response: DiskUsageSchema,
  },
  moveModel: {
    method: 'POST',
    path: '/api/models/:model/move',
    summary: { en: 'Move a model that is not in use to another folder of models', zh: '将未在使用的模型移到另一个模型目录' },
    body: FolderSchema,
    events: CopySchema,
  },
  exportModel: {
    method: 'POST',
    path: '/api/models/:model/export',
    summary: { en: 'Copy a model into a plain folder with its manifest', zh: '将模型连同清单复制到普通目录' },
    body: FolderSchema,
    events: CopySchema,
  },
  importModels: {
    method: 'POST',
    path: '/api/import',
    summary: { en: 'Take models from a folder into the library', zh: '将目录中的模型导入模型库' },
    body: FolderSchema,
    events: CopySchema,
  },
  plan: {
    method: 'POST',
    path: '/api/plan',
    summary: {
      en: 'What a model would need here or on a described machine; without a model: which ones suit it',
      zh: '模型在本机或所描述的机器上需要什么；不指定模型时：哪些模型适合',
    },
    body: PlanQuerySchema,
    response: PlanAnswerSchema,
  },
  planQuery: {
    method: 'GET',
    path: '/api/plan',
    summary: { en: 'The same, with a query', zh: '同上，使用查询参数' },
    query: PlanQuerySchema,
    response: PlanAnswerSchema,
  },
  listPulls: {
    method: 'GET',
    path: '/api/pulls',
    summary: { en: 'Downloads of this server', zh: '本服务的下载任务' },
    response: z.array(PullSchema),
  },
  startPull: {
    method: 'POST',
    path: '/api/pulls',
    summary: { en: 'Download a model', zh: '下载模型' },
    body: StartPullSchema,
    response: PullSchema,
  },
  watchPull: {
    method: 'GET',
    path: '/api/pulls/:id/events',
    summary: { en: 'Progress until it ends', zh: '下载进度，直到结束' },
    events: PullSchema,
  },
  cancelPull: {
    method: 'DELETE',
    path: '/api/pulls/:id',
    summary: { en: 'Cancel; what has arrived is kept', zh: '取消下载；已下载的部分会保留' },
    response: PullSchema,
  },
  pausePull: {
    method: 'POST',
    path: '/api/pulls/:id/pause',
    summary: { en: 'Stop for now; what has arrived is kept', zh: '暂停下载；已下载的部分会保留' },
    response: PullSchema,
  },
  resumePull: {
    method: 'POST',
    path: '/api/pulls/:id/resume',
    summary: { en: 'Go on with a download that was paused', zh: '继续已暂停的下载' },
    response: PullSchema,
  },
  listDeployments: {
    method: 'GET',
    path: '/api/deployments',
    summary: { en: 'Models that run, or tried to', zh: '正在运行或曾尝试启动的模型' },
    response: z.array(DeploymentSchema),
  },
  startDeployment: {
    method: 'POST',
    path: '/api/deployments',
    summary: { en: 'Start a model and wait until it is ready', zh: '启动模型并等待就绪' },
    body: StartDeploymentSchema,
    response: DeploymentSchema,
  },
  stopDeployment: {
    method: 'DELETE',
    path: '/api/deployments/:model',
    summary: { en: 'Drain and stop a model', zh: '等运行中的请求结束，然后停止模型' },
    response: DeploymentSchema,
  },
  closeThought: {
    method: 'POST',
    path: '/api/requests/:id/close-thought',
    summary: {
      en: 'Stop thinking and answer now; false when the request is not running, or is not thinking',
      zh: '停止思考，立即回答；请求未在运行或未在思考时为 false',
    },
    response: z.strictObject({ closed: z.boolean() }),
  },
} as const satisfies Record<string, Route>

export type RouteName = keyof typeof routes
