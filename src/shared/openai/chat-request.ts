/** The body of `POST /v1/chat/completions`: lenient (unknown fields are kept, so that they can be named). Source: OpenAI's published description. */
import { z } from 'zod'
import { generationFields, outputFields, samplingFields } from './fields.ts'

const contentPart = z.looseObject({ type: z.string(), text: z.string().optional(), refusal: z.string().optional() })
const functionCall = z.looseObject({ name: z.string(), arguments: z.string() })

export const ChatMessageSchema = z.looseObject({
  role: z.enum(['system', 'developer', 'user', 'assistant', 'tool', 'function']),
  content: z.union([z.string(), z.array(contentPart).min(1)], 'expected a text or a list of parts').nullish(),
  name: z.string().nullish(),
  refusal: z.string().nullish(),
  reasoning_content: z.string().nullish(),
  reasoning: z.string().nullish(),
  tool_call_id: z.string().nullish(),
  tool_calls: z.array(z.looseObject({ id: z.string().min(1), type: z.string().nullish(), function: functionCall.optional() })).nullish(),
  function_call: functionCall.nullish(),
  audio: z.unknown().optional(),
  /** DeepSeek's "continue this message". */
  prefix: z.boolean().nullish(),
})
export type ChatMessage = z.infer<typeof ChatMessageSchema>

const functionName = z.string().regex(/^[\w-]{1,64}$/, 'a name has 1 to 64 letters, digits, _ or -')
const chatFunction = z.looseObject({
  name: functionName,
  description: z.string().nullish(),
  /** JSON Schema of the arguments' object. */
  parameters: z.record(z.string(), z.unknown()).nullish(),
  strict: z.boolean().nullish(),
})
const chatTool = z.looseObject({ type: z.string(), function: chatFunction.optional() })
export type ChatTool = z.infer<typeof chatTool>

const namedFunction = z.looseObject({ name: z.string() })
const toolChoice = z.union(
  [
    z.enum(['none', 'auto', 'required']),
    z.looseObject({
      type: z.string(),
      function: namedFunction.optional(),
      allowed_tools: z
        .looseObject({
          mode: z.enum(['auto', 'required']),
          tools: z.array(z.looseObject({ type: z.string(), function: namedFunction.optional() })).min(1),
        })
        .optional(),
    }),
  ],
  'expected none, auto, required, a function or allowed_tools',
)

const responseFormat = z.looseObject({
  type: z.string(),
  json_schema: z
    .looseObject({
      name: z.string().regex(/^[\w-]{1,64}$/, 'a name has 1 to 64 letters, digits, _ or -'),
      description: z.string().nullish(),
      schema: z.record(z.string(), z.unknown()).nullish(),
      strict: z.boolean().nullish(),
    })
    .nullish(),
  /** llama-server's: a schema beside `json_object`. */
  schema: z.record(z.string(), z.unknown()).nullish(),
})

export const REASONING_EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const
/**
 * Where the thoughts go: `reasoning_content` (the default; llama-server's `auto` and `deepseek` mean the same), `reasoning`, `both` fields,
 * `think` (in the text between `<think>` tags), `hidden`, or `none` (the text as the model wrote it).
 */
export const REASONING_FORMATS = ['reasoning_content', 'reasoning', 'both', 'think', 'hidden', 'auto', 'deepseek', 'none'] as const

const tokenBudget = z.int().min(0)
const thinkingFields = {
  reasoning_effort: z.enum(REASONING_EFFORTS).nullish(),
  reasoning_format: z.enum(REASONING_FORMATS).nullish(),
  /** DashScope's and vLLM's. */
  enable_thinking: z.boolean().nullish(),
  /** DeepSeek's; `budget_tokens` is Anthropic's. */
  thinking: z
    .union(
      [z.boolean(), z.looseObject({ type: z.enum(['enabled', 'disabled', 'adaptive', 'auto']), budget_tokens: tokenBudget.nullish() })],
      'expected {"type": "enabled"} or {"type": "disabled"}',
    )
    .nullish(),
  /** Tokens of thought at most; then it is closed, and the answer begins. */
  max_thinking_tokens: tokenBudget.nullish(),
  /** DashScope's name of the same. */
  thinking_budget: tokenBudget.nullish(),
  /** OpenRouter's. */
  reasoning: z
    .looseObject({
      effort: z.enum(REASONING_EFFORTS).nullish(),
      enabled: z.boolean().nullish(),
      exclude: z.boolean().nullish(),
      max_tokens: tokenBudget.nullish(),
    })
    .nullish(),
  include_reasoning: z.boolean().nullish(),
}

const text = z.string().max(4096)

export const ChatRequestSchema = z.looseObject({
  ...generationFields,
  ...samplingFields,
  ...outputFields,
  ...thinkingFields,
  messages: z.array(ChatMessageSchema).min(1),
  /** −1 (llama-server's "no limit") is the same as absent. */
  max_tokens: z
    .int()
    .min(-1)
    .refine((tokens) => tokens !== 0, 'expected at least 1')
    .nullish(),
  max_completion_tokens: z.int().min(1).nullish(),
  logprobs: z.boolean().nullish(),
  top_logprobs: z.int().min(0).max(20).nullish(),
  response_format: responseFormat.nullish(),
  tools: z.array(chatTool).max(128).nullish(),
  tool_choice: toolChoice.nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  functions: z.array(chatFunction).max(128).nullish(),
  function_call: z.union([z.enum(['none', 'auto']), namedFunction], 'expected none, auto or a function').nullish(),
  chat_template_kwargs: z.record(z.string(), z.unknown()).nullish(),
  continue_final_message: z.boolean().nullish(),
  /** `auto`: the oldest turns are dropped whole until the prompt fits. */
  truncation: z.enum(['auto', 'disabled']).nullish(),
  store: z.boolean().nullish(),
  metadata: z
    .record(z.string().max(64), z.string().max(512))
    .refine((pairs) => Object.keys(pairs).length <= 16, 'at most 16 pairs')
    .nullish(),
  service_tier: z.enum(['auto', 'default', 'flex', 'scale', 'priority', 'fast']).nullish(),
  safety_identifier: text.nullish(),
  prompt_cache_key: text.nullish(),
  prediction: z
    .looseObject({ type: z.literal('content'), content: z.union([z.string(), z.array(contentPart)], 'expected a text or a list of parts') })
    .nullish(),
  modalities: z.array(z.enum(['text', 'audio', 'image'])).nullish(),
  verbosity: z.enum(['low', 'medium', 'high']).nullish(),
})
export type ChatRequest = z.infer<typeof ChatRequestSchema>
/** What a caller writes; the fields that the schema does not name are allowed as well. */
export type ChatRequestInput = z.input<typeof ChatRequestSchema>
