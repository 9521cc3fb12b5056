/** The data's English remarks in Chinese. A test holds that none is missing. */
import type { Localized } from '../../shared/language.ts'
import { CHINESE_NOTES } from './phrases-notes.ts'

const CHINESE: Readonly<Record<string, string>> = {
  ...CHINESE_NOTES,
  // Parameters beside the main model.
  '11.5B unique (one MTP layer)': '多词元预测（MTP）一层，独有参数 115 亿',
  '11.5B unique for 1 MTP layer (about 14B with the duplicated embedding and head)':
    '多词元预测（MTP）一层，独有参数 115 亿（连同重复的词嵌入和输出头约 140 亿）',
  '25.4B routed experts in 1 MTP layer': 'MTP 一层，其路由专家 254 亿',
  '6.4B routed experts in 1 MTP layer': 'MTP 一层，其路由专家 64 亿',
  'DSpark draft (3 stages)': 'DSpark 草稿模块（3 级）',
  'DSpark draft, 3 stages (about 19.3B routed-expert parameters)': 'DSpark 草稿模块，3 级（路由专家约 193 亿）',
  'DSpark draft, 3 stages (about 76B routed-expert parameters)': 'DSpark 草稿模块，3 级（路由专家约 760 亿）',
  'DSpark, 3 stages, 128 experts top-3': 'DSpark 草稿模块，3 级，128 个专家取 3',
  '1 MTP layer': 'MTP 一层',
  // Sampling.
  'README advises T <= 0.7 (recalled)': 'README 建议温度不超过 0.7（凭记忆）',
  'README examples decode greedily (do_sample=False)': 'README 示例使用贪心解码（do_sample=False）',
  'Lean 4 proof completion': '用于补全 Lean 4 证明',
  'card recommendation for local use': '模型卡对本地使用的建议',
  'card: model temperature 0.3; API maps T_api<=1 to 0.3*T_api and 1<T_api<=2 to T_api-0.7':
    '模型卡：模型温度 0.3；官方 API 将 T_api≤1 换算为 0.3×T_api，1<T_api≤2 换算为 T_api−0.7',
  'card: temperature 1.0, top_p 1.0; Think-Max wants >= 384K context; agentic evaluation of 0731 used top_p 0.95':
    '模型卡：温度 1.0、top_p 1.0；Think-Max 需要至少 384K 上下文；0731 的智能体评测使用 top_p 0.95',
  'default sampling of the card': '模型卡的默认采样',
  'evaluation used 64K max generation': '评测时最多生成 64K',
  'generation_config (recalled)': 'generation_config（凭记忆）',
  'generation_config.json': '取自 generation_config.json',
  'generation_config.json of V2-Chat': '取自 V2-Chat 的 generation_config.json',
  'range 0.5-0.7; card sets the maximum generation length to 32,768': '温度范围 0.5–0.7；模型卡将最大生成长度设为 32,768',
  'range 0.5-0.7; max generation length 32,768 in the evaluation': '温度范围 0.5–0.7；评测时最大生成长度 32,768',
  'recalled from generation_config; unverified': '凭记忆取自 generation_config，未核实',
  'thinking: 0.6 and 0.95; not thinking: 0.7 and 0.8; top_k 20 (recalled)': '思考时 0.6 与 0.95；不思考时 0.7 与 0.8；top_k 20（凭记忆）',
  'vLLM: NGramPerReqLogitsProcessor ngram_size 30, window 90, whitelist ids 128821/128822; official generate(): no_repeat_ngram_size 35 (eval) or 20 (stream), max_new_tokens 8192':
    'vLLM：NGramPerReqLogitsProcessor，ngram_size 30、窗口 90、白名单 128821/128822；官方 generate()：no_repeat_ngram_size 35（评测）或 20（流式），max_new_tokens 8192',
  // System prompt.
  'card does not use one': '模型卡未使用系统提示词',
  supported: '支持',
  'no system prompt; ask for "Please reason step by step, and put your final answer within \\boxed{}." in the user turn':
    '不用系统提示词；在用户消息中写明“请逐步推理，并将最终答案放在 \\boxed{} 中”',
  'none; all instructions in the user turn; enforce <think>\n': '不用系统提示词；所有要求写在用户消息中；让回答以 <think> 开头',
  'none; put every instruction into the user turn; make the answer start with <think>\n':
    '不用系统提示词；所有要求写在用户消息中；让回答以 <think> 开头',
  '该助手为DeepSeek Chat，由深度求索公司创造。\n今天是{current date}。':
    '官方：该助手为DeepSeek Chat，由深度求索公司创造。今天是{当前日期}。',
  // Verification.
  'config recalled, parameter count consistent': '结构凭记忆，参数量吻合',
  'config verified': '结构已核实',
  'config verified (layers/heads on a quantiser card)': '结构已核实（层数与头数见量化者的模型卡）',
  'config verified except YaRN, token ids and pre-tokenizer name (recalled)': '结构已核实，YaRN、词元编号和预分词器名称除外（凭记忆）',
  'config verified except licence': '除许可外已核实',
  'parameter counts verified on the README, text shape recalled': '参数量已据 README 核实，文本部分结构凭记忆',
  'parameter counts from documentation, shape not known': '参数量取自文档，结构未知',
  'partly recalled': '部分凭记忆',
  'shape assumed equal to DeepSeek-V4.1-Flash': '结构假定与 DeepSeek-V4.1-Flash 相同',
  'shape inferred from V3.2-Exp': '结构由 V3.2-Exp 推断',
  'shape recalled (DeepSeekMath-7B family); V2-7B context 32K verified on the card':
    '结构凭记忆（DeepSeekMath-7B 系列）；V2-7B 的 32K 上下文已据模型卡核实',
  'shape recalled as identical to V2.5': '结构凭记忆，与 V2.5 相同',
  'unverified (recalled)': '未核实（凭记忆）',
  // Engines.
  yes: '支持',
  '>=0.20.0 (MTP); DSpark >=0.25.0': '0.20.0 起（MTP）；DSpark 自 0.25.0 起',
  '>=0.27.0': '0.27.0 起',
  'OCR (arch deepseekocr)': '支持（架构 deepseekocr）',
  deepseek_v4: '支持（deepseek_v4）',
  deepseek_vl: '支持（deepseek_vl）',
  'gmlx PR #140 merged': 'gmlx 已合并 PR #140',
  'janus (converted repos)': '支持（janus，须用转换后的仓库）',
  'library entry exists': '模型库中有条目',
  'main since September 2026 (PR #56214, DeepseekV41ForCausalLM); not in v0.28.0': '2026 年 9 月起在主分支（PR #56214），不在 v0.28.0 中',
  'merged September 2026 (PR #2455)': '2026 年 9 月合并（PR #2455）',
  'mlx-community 4bit..bf16': 'mlx-community 提供 4bit 至 bf16',
  'not in 5.22.1 (2026-11-07)': '5.22.1（2026-11-07）尚不支持',
  'not in master at 2026-09-28; PR #28696 open (arch deepseek41); state in November unverified':
    '2026-09-28 时不在主分支；PR #28696 未合并（架构 deepseek41）；11 月状态未核实',
  'not listed': '未列出',
  'preview image day 0, main since about 2026-09-18 (#38798); not in v0.5.20':
    '发布当天有预览镜像，约 2026-09-18 进入主分支（#38798），不在 v0.5.20 中',
  'remote code': '支持（需要远程代码）',
  'yes (>=0.12 in recipes)': '支持（配方要求 0.12 起）',
  'yes (deepseek32; MTP layer exported by default as blk.61)': '支持（deepseek32；MTP 层默认导出为 blk.61）',
  'yes (reads the original checkpoint)': '支持（直接读取原始权重）',
  'yes since about 2026-06-29/07 (PR #24162)': '约 2026 年 6 月底起支持（PR #24162）',
}

export function hasChinese(text: string): boolean {
  return Object.hasOwn(CHINESE, text)
}

/** In both languages; the original stands where no translation is known. */
export function phrase(text: string): Localized {
  return { en: text.trim(), zh: (hasChinese(text) ? CHINESE[text] : undefined) ?? text.trim() }
}
