/** Remarks on single repositories, in Chinese. */
export const CHINESE_NOTES: Readonly<Record<string, string>> = {
  '48 shards, 72,317 tensors; general-availability Flash; reasoning_effort "high" uses the old max text and "max" a new text':
    '48 个分片，72,317 个张量；Flash 正式版；reasoning_effort 的 high 使用旧的 max 文本，max 使用新文本',
  '48 shards, 96,085 tensors: experts 288.8 GB, Engram 202.8 GB, dense about 17-18 GB. Causal encoder-decoder: layers 0-19 encode, 20-39 decode; both are causal':
    '48 个分片，96,085 个张量：专家 288.8 GB，Engram 202.8 GB，稠密部分约 17–18 GB。因果编码器-解码器：第 0–19 层编码，第 20–39 层解码，两者均为因果',
  '66 shards, 149,782 tensors': '66 个分片，149,782 个张量',
  '78 layers, 256 experts of which 8 for each token, DeepSeek sparse attention':
    '78 层，256 个专家，每个 token 用 8 个，采用 DeepSeek 稀疏注意力',
  'DeepSeek sparse attention with an index shared by every four layers; text only':
    '采用 DeepSeek 稀疏注意力，每四层共享一个索引；仅支持文本',
  'GQA: 8 KV heads and 95 layers; several catalogues say 64 KV heads, which inflates the KV cache 8x':
    'GQA：8 个键值头、95 层；有些目录误写为 64 个键值头，会把 KV 缓存夸大 8 倍',
  "Ollama's bare tag deepseek-r1 (8b) is this model, not R1": 'Ollama 不带标签的 deepseek-r1（8b）就是这个模型，不是 R1',
  'answers only in the Harmony format; reasoning effort low, medium or high': '只以 Harmony 格式回答；思考强度可为 low、medium、high',
  'card documents 32K context although max_position_embeddings is 163840; no q_lora':
    '模型卡写明上下文 32K，尽管 max_position_embeddings 为 163840；无 q_lora',
  'card: BF16 inference needs 8 x 80 GB GPUs; max_position_embeddings 163840 is the YaRN ceiling, documented context is 128K':
    '模型卡：BF16 推理需要 8 张 80 GB 显卡；max_position_embeddings 163840 是 YaRN 上限，文档上下文为 128K',
  'continued from DeepSeek-LLM-7B: 102400 vocabulary and only 4K context, unlike the 16K of the other Coder models':
    '由 DeepSeek-LLM-7B 继续训练：词表 102400，上下文仅 4K，与其他 Coder 模型的 16K 不同',
  'deep-reasoning only, no tool calling. There is no "V3.1-Speciale"': '仅用于深度推理，不支持工具调用。不存在“V3.1-Speciale”',
  'image generation emits 576 VQ tokens for 384x384, CFG weight 5': '生成 384x384 图像时输出 576 个 VQ 词元，CFG 权重 5',
  'llama.cpp mmproj type deepseek4v; hash layers route image tokens with gate.bias_vl':
    'llama.cpp 的 mmproj 类型为 deepseek4v；哈希层以 gate.bias_vl 路由图像词元',
  'native 32,768 tokens; 131,072 with YaRN (factor 4)': '原生 32,768 个 token；使用 YaRN（系数 4）可达 131,072',
  'newest DeepSeek open weights found (November 2026)': '目前找到的最新 DeepSeek 开放权重（2026 年 11 月）',
  'preview weights plus DSpark draft': '预览版权重加 DSpark 草稿模块',
  'recalled: 12 layers, hidden 1280, 10 heads MHA, 64 experts top-6 + 2 shared, vocab 129280':
    '凭记忆：12 层，隐藏维度 1280，10 头 MHA，64 个专家取 6，另有 2 个共享专家，词表 129280',
  'recalled: 27 layers, hidden 2048, 16 heads MLA 512, 64 experts top-6 + 2 shared, vocab 102400':
    '凭记忆：27 层，隐藏维度 2048，16 头 MLA 512，64 个专家取 6，另有 2 个共享专家，词表 102400',
  'recalled: 30 layers, hidden 2560, 32 heads MLA 512, 72 experts top-6 + 2 shared, vocab 129280':
    '凭记忆：30 层，隐藏维度 2560，32 头 MLA 512，72 个专家取 6，另有 2 个共享专家，词表 129280',
  'superseded by -0731; safetensors elements: BF16 1.415B, E8M0 8.859B, E4M3 6.023B, I8 141.734B (each I8 holds two FP4)':
    '已被 -0731 取代；safetensors 元素数：BF16 14.15 亿、E8M0 88.59 亿、E4M3 60.23 亿、I8 1417.34 亿（每个 I8 存两个 FP4）',
  'the shape is of the language part; total includes 0.4B of vision': '结构仅指语言部分；总参数量含 4 亿视觉参数',
  'the shape of DeepSeek-V3 with more experts and half the heads': '结构同 DeepSeek-V3，但专家更多、注意力头减半',
  'vLLM recipe uses --tokenizer-mode deepseek_v32 with tool parser deepseek_v32 for it':
    'vLLM 配方对它使用 --tokenizer-mode deepseek_v32 和工具解析器 deepseek_v32',
}
