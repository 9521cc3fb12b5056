/** Graphics cards, and tools of their vendors that do not answer. */
import { formatBytes } from '../../base/bytes.ts'
import { EMBEDDED_VENDORS } from '../../shared/hardware.ts'
import type { Finding, Gpu, Hardware, ProbeTrouble } from '../../shared/hardware.ts'
import type { Localized } from '../../shared/language.ts'
import { ok, problem, same, warning } from './finding.ts'

const TITLE: Localized = { en: 'Graphics card', zh: '显卡' }

export function gpuFindings(hardware: Hardware): Finding[] {
  return [
    ...(hardware.troubles ?? []).map(troubleFinding),
    ...(hardware.gpus.length === 0 && hardware.troubles ? [] : [gpuFinding(hardware)]),
    ...hardware.gpus.flatMap(splitFinding).slice(0, 1),
    ...linkFindings(hardware.gpus),
    ...hardware.gpus.filter((gpu) => gpu.board === 'jetson').map(jetsonFinding),
  ]
}

export function gpuFinding({ gpus }: Hardware): Finding {
  if (gpus.length === 0) {
    return ok('gpu', TITLE, {
      en: 'none found (no driver answers); the processor does the work',
      zh: '未检测到（没有驱动响应），将使用处理器',
    })
  }
  const detail = same(gpus.map(gpuText).join('; '))
  if (!gpus.some((gpu) => EMBEDDED_VENDORS.includes(gpu.vendor))) return foreignFinding(gpus, detail)
  const old = gpus.find((gpu) => gpu.vendor === 'nvidia' && gpu.capability !== undefined && Number(gpu.capability) < 5)
  if (!old) return ok('gpu', TITLE, detail)
  return warning(
    'gpu',
    TITLE,
    {
      en: `${detail.en}; ${old.name} (compute capability ${old.capability}) is too old for CUDA builds`,
      zh: `${detail.zh}；${old.name}（计算能力 ${old.capability}）过旧，CUDA 版本不支持`,
    },
    { en: 'The processor is used instead.', zh: '将改用处理器。' },
  )
}

function gpuText(gpu: Gpu): string {
  const facts = [
    `${formatBytes(gpu.freeBytes)} / ${formatBytes(gpu.memoryBytes)}`,
    gpu.capability,
    gpu.driver,
    gpu.cudaVersion && `CUDA ${gpu.cudaVersion}`,
    gpu.ecc === true && 'ECC',
  ]
  return [gpu.name, ...facts.filter(Boolean)].join(', ')
}

/** Cards that only an external engine can drive. */
function foreignFinding(gpus: readonly Gpu[], detail: Localized): Finding {
  const isAscend = gpus.some((gpu) => gpu.vendor === 'ascend')
  const [maker, remedy]: [Localized, Localized] = isAscend
    ? [
        { en: 'Ascend', zh: '昇腾' },
        { en: 'Use vLLM with vllm-ascend for it.', zh: '请使用 vLLM 与 vllm-ascend。' },
      ]
    : [
        { en: 'Moore Threads', zh: '摩尔线程' },
        {
          en: "Use llama.cpp's MUSA build (llama-server) or vLLM with MUSA for it.",
          zh: '请使用 llama.cpp 的 MUSA 版本（llama-server）或 vLLM-MUSA。',
        },
      ]
  return warning(
    'gpu',
    TITLE,
    { en: `${detail.en}; the embedded engine does not drive ${maker.en}`, zh: `${detail.zh}；内置引擎不支持${maker.zh}` },
    remedy,
  )
}

function troubleFinding({ vendor, tool, reason, said }: ProbeTrouble): Finding {
  const words = said === '' ? '' : `: ${said}`
  const id = `gpu-${vendor}`
  switch (reason) {
    case 'timed-out':
      return problem(
        id,
        TITLE,
        { en: `${tool} does not answer within 3 s${words}`, zh: `${tool} 3 秒内没有响应${words}` },
        {
          en: 'The driver may be stuck: look into "dmesg", and restart the machine. With many NVIDIA cards, switch persistence on: sudo nvidia-smi -pm 1.',
          zh: '驱动可能卡住：请查看 dmesg 并重启机器。多张 NVIDIA 卡时请开启常驻模式：sudo nvidia-smi -pm 1。',
        },
      )
    case 'driver-mismatch':
      return problem(
        id,
        TITLE,
        { en: `The loaded driver and its library differ${words}`, zh: `已加载的驱动与用户态库版本不一致${words}` },
        {
          en: 'The driver was updated while it was in use: restart the machine (in a container: restart it after the host).',
          zh: '驱动在使用中被更新：请重启机器（容器请在宿主机重启后再启动）。',
        },
      )
    case 'no-permission':
      return problem(
        id,
        TITLE,
        { en: `This user may not use the card${words}`, zh: `当前用户无权使用显卡${words}` },
        {
          en: 'Add the user to the groups video and render (Ascend: HwHiAiUser), and log in again; in a container pass the devices in.',
          zh: '请将用户加入 video 与 render 组（昇腾为 HwHiAiUser）后重新登录；容器中请映射设备。',
        },
      )
    case 'no-driver':
      return problem(
        id,
        TITLE,
        { en: `${tool} is installed, but the driver is not loaded${words}`, zh: `已安装 ${tool}，但驱动未加载${words}` },
        {
          en: 'Install the driver for the running kernel and restart (with Secure Boot: sign it). In a container: --gpus all, and the NVIDIA container toolkit on the host.',
          zh: '请为当前内核安装驱动并重启（开启安全启动时需签名）。容器中请使用 --gpus all，并在宿主机安装 NVIDIA Container Toolkit。',
        },
      )
    case 'no-devices':
      return warning(
        id,
        TITLE,
        { en: `${tool} finds no card${words}`, zh: `${tool} 未找到显卡${words}` },
        {
          en: 'Check that the card is seated and powered ("lspci"), and that a container or CUDA_VISIBLE_DEVICES does not hide it.',
          zh: '请检查显卡是否插好并供电（lspci），以及是否被容器或 CUDA_VISIBLE_DEVICES 隐藏。',
        },
      )
    case 'failed':
      return warning(
        id,
        TITLE,
        { en: `${tool} fails${words}`, zh: `${tool} 运行失败${words}` },
        {
          en: `Run ${tool} by hand, and reinstall the driver if it fails there too.`,
          zh: `请手动运行 ${tool}；若同样失败，请重新安装驱动。`,
        },
      )
  }
}

function splitFinding(gpu: Gpu): Finding[] {
  if (gpu.partitions === undefined) return []
  const title: Localized = { en: 'MIG', zh: 'MIG 切分' }
  const sizes = gpu.partitions.map((part) => formatBytes(part.memoryBytes)).join(', ')
  if (sizes === '') {
    return [
      problem(
        'gpu-mig',
        title,
        {
          en: `${gpu.name} is in MIG mode without an instance: no program can use it`,
          zh: `${gpu.name} 已开启 MIG 但没有实例：任何程序都无法使用`,
        },
        {
          en: 'Make an instance (sudo nvidia-smi mig -cgi 0 -C), or leave the mode (sudo nvidia-smi -mig 0).',
          zh: '请创建实例（sudo nvidia-smi mig -cgi 0 -C）或关闭 MIG（sudo nvidia-smi -mig 0）。',
        },
      ),
    ]
  }
  return [
    warning(
      'gpu-mig',
      title,
      {
        en: `${gpu.name} is split into parts of ${sizes}; a program uses one of them only`,
        zh: `${gpu.name} 被切分为 ${sizes}；一个程序只能使用其中一份`,
      },
      {
        en: 'For a model that needs more, leave MIG mode: sudo nvidia-smi -mig 0.',
        zh: '需要更多显存时请关闭 MIG：sudo nvidia-smi -mig 0。',
      },
    ),
  ]
}

/** How the cards reach each other: it decides whether to split a model by tensors or by layers. */
function linkFindings(gpus: readonly Gpu[]): Finding[] {
  const linked = gpus.filter((gpu) => gpu.links && gpu.links.length > 0)
  if (linked.length < 2) return []
  const title: Localized = { en: 'Card links', zh: '卡间互联' }
  const lanes = linked.flatMap((gpu) => gpu.links ?? []).filter((link) => link.type === 'nvlink' || link.type === 'xgmi')
  const pairs = (linked.length * (linked.length - 1)) / 2
  if (lanes.length === 0) {
    return [
      ok('gpu-links', title, { en: 'PCIe only: split models by layers rather than by tensors', zh: '仅 PCIe：建议按层而非按张量切分模型' }),
    ]
  }
  const most = Math.max(...lanes.map((link) => link.lanes ?? 0))
  const count = Math.round(lanes.length / 2)
  return [
    ok('gpu-links', title, {
      en: `NVLink between ${count} of ${pairs} pairs${most > 0 ? `, ${most} lanes` : ''}`,
      zh: `${pairs} 对中有 ${count} 对为 NVLink${most > 0 ? `，${most} 条链路` : ''}`,
    }),
  ]
}

function jetsonFinding(gpu: Gpu): Finding {
  const title: Localized = { en: 'Jetson', zh: 'Jetson' }
  const busy = gpu.busyPercent === undefined ? { en: '', zh: '' } : { en: `; ${gpu.busyPercent} % busy`, zh: `；占用 ${gpu.busyPercent}%` }
  const detail: Localized = {
    en: `${gpu.name}: one memory for processor and GPU${gpu.fastInt8 === false ? '; no fast INT8' : gpu.fastInt8 ? '; fast INT8' : ''}${busy.en}`,
    zh: `${gpu.name}：处理器与 GPU 共用内存${gpu.fastInt8 === false ? '；不支持快速 INT8' : gpu.fastInt8 ? '；支持快速 INT8' : ''}${busy.zh}`,
  }
  if (gpu.fastInt8 !== false) return ok('jetson', title, detail)
  return warning('jetson', title, detail, {
    en: 'Choose a model of 1.5B parameters or less in Q4; INT8 would not be faster on this board.',
    zh: '请选择 1.5B 以下的 Q4 模型；INT8 在该板上不会更快。',
  })
}
