/** What the engine (parent) and its worker process say to each other. Both ends are ours and of one version; commands are checked, events are not (one a step). */
import { z } from 'zod'
import type { ConstraintRoot } from '../../formats/constraint.ts'
import { SamplingSchema } from '../../shared/generate.ts'
import type { FinishReason, Notice, TokenLogprob, Timings, Usage, WireError } from '../../shared/generate.ts'

export const WorkerOptionsSchema = z.strictObject({
  file: z.string(),
  kernel: z.string().optional(),
  context: z.number().int().positive().optional(),
  parallel: z.number().int().min(1).max(64),
  kvType: z.enum(['f16', 'q8_0', 'q4_0']),
  kvLayout: z.enum(['auto', 'unified', 'split']),
  kvBytes: z.number().positive(),
  kvBytesPerToken: z.number().positive(),
  cacheBytes: z.number().nonnegative(),
  diskCacheBytes: z.number().nonnegative(),
  kvCacheFolder: z.string(),
  threads: z.number().int().positive(),
  gpuLayers: z.number().int().min(-1),
  targetStepMs: z.number().positive().optional(),
  speculation: z.boolean(),
})
export type WorkerOptions = z.infer<typeof WorkerOptionsSchema>

const PromptTextSchema = z.discriminatedUnion('type', [
  /** `addSpecial`: the vocabulary's own BOS/EOS rule applies (never for a rendered template that has its BOS). */
  z.strictObject({ type: z.literal('text'), text: z.string(), addSpecial: z.boolean(), parseSpecial: z.boolean() }),
  z.strictObject({ type: z.literal('tokens'), tokens: z.array(z.number()) }),
  /** Written with the vocabulary's own fill-in-the-middle tokens. */
  z.strictObject({ type: z.literal('infill'), prefix: z.string(), suffix: z.string() }),
])
export type PromptText = z.infer<typeof PromptTextSchema>

const ThoughtSettingsSchema = z.strictObject({
  open: z.string().min(1),
  close: z.string().min(1),
  forceClose: z.string(),
  isOpen: z.boolean(),
  introduction: z.string().optional(),
  budget: z.number().int().min(0).optional(),
})

export const GenerateCommandSchema = z.strictObject({
  type: z.literal('generate'),
  id: z.number(),
  prompt: PromptTextSchema,
  sampling: SamplingSchema,
  maxTokens: z.number().optional(),
  stop: z.array(z.string()),
  ignoreEos: z.boolean(),
  choices: z.number(),
  logprobs: z.number().optional(),
  deterministic: z.boolean(),
  promptLogprobs: z.boolean(),
  background: z.boolean(),
  /** Of a conversation with a model that thinks aloud. */
  thought: ThoughtSettingsSchema.optional(),
  /** Of the answer after the thought: formats/constraint.ts's ConstraintRoot, which the parent has made. */
  constraint: z.custom<ConstraintRoot>((value) => typeof value === 'object' && value !== null).optional(),
  language: z.enum(['zh', 'en']).optional(),
  /** Special tokens that come as text, since what the model writes is read by them: those within these texts, or all. */
  markup: z.union([z.array(z.string()), z.literal('all')]),
})
export type GenerateCommand = z.infer<typeof GenerateCommandSchema>

export const CommandSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('load'), options: WorkerOptionsSchema }),
  GenerateCommandSchema,
  /** The end of a `generate`. */
  z.strictObject({ type: z.literal('cancel'), id: z.number() }),
  /** One answer of a `generate` has said enough: it ends as if the model had ended it. */
  z.strictObject({ type: z.literal('end-choice'), id: z.number(), choice: z.number() }),
  /** The end of an `embed` or `rerank`, whose answer nobody waits for any more. */
  z.strictObject({ type: z.literal('abandon'), id: z.number() }),
  z.strictObject({ type: z.literal('embed'), id: z.number(), inputs: z.array(z.union([z.string(), z.array(z.number())])) }),
  z.strictObject({ type: z.literal('rerank'), id: z.number(), query: z.string(), documents: z.array(z.string()) }),
  /** `generation`: the id of its `generate` command. Answers whether a thought was open. */
  z.strictObject({ type: z.literal('close-thought'), id: z.number(), generation: z.number() }),
  z.strictObject({ type: z.literal('tokenize'), id: z.number(), prompt: PromptTextSchema }),
  z.strictObject({ type: z.literal('detokenize'), id: z.number(), tokens: z.array(z.number()) }),
  z.strictObject({ type: z.literal('stats'), id: z.number() }),
  /** Keeps what the disk tier should keep, then ends. */
  z.strictObject({ type: z.literal('stop') }),
])
export type Command = z.infer<typeof CommandSchema>

export interface LoadedModel {
  kernel: string | undefined
  architecture: string
  context: number
  largestContext: number
  trainedContext: number
  parallel: number
  kvLayout: 'unified' | 'split'
  vocabularySize: number
  bosToken: string
  eosToken: string
  addsBos: boolean
  chatTemplate: string | undefined
  canEmbed: boolean
  loadMs: number
}

/** Events of one generation, before thoughts and tool calls are split out of the text. */
export type WorkerEvent =
  | { type: 'queued'; position: number }
  | { type: 'prefill'; done: number; total: number }
  /** `tokens`: how many were sampled for it, and how many of these belong to a thought. */
  | { type: 'text'; choice: number; text: string; tokens: number; thoughtTokens: number; logprobs?: TokenLogprob[] }
  | { type: 'prompt-logprobs'; tokens: TokenLogprob[] }
  | { type: 'notice'; notice: Notice }
  | { type: 'choice-end'; choice: number; reason: FinishReason; stopSequence?: string }
  | { type: 'finish'; usage: Usage; timings: Timings }
  | { type: 'error'; error: WireError }

export type Report =
  | { type: 'ready'; model: LoadedModel }
  /** The model cannot be loaded; the process ends. */
  | { type: 'failed'; error: WireError }
  /** All that one step brought about: generation id and event. */
  | { type: 'events'; events: [number, WorkerEvent][] }
  /** The context was made again. */
  | { type: 'resized'; context: number; kvLayout: 'unified' | 'split' }
  | { type: 'reply'; id: number; value: unknown }
  | { type: 'refusal'; id: number; error: WireError }
