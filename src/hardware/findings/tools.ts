/** What external engines are made with. Nothing here matters to the embedded one, so nothing here is a problem. */
import type { Finding, Hardware } from '../../shared/hardware.ts'
import type { Localized } from '../../shared/language.ts'
import { compareVersions } from '../compare-versions.ts'
import { fitEngines } from '../engine-fit.ts'
import type { EngineFit } from '../engine-fit.ts'
import type { Host } from '../host.ts'
import type { Toolchains } from '../toolchains.ts'
import { ok, same, warning } from './finding.ts'

export function toolFindings(hardware: Hardware, host: Host, tools: Toolchains): Finding[] {
  return [
    ...pythonFinding(tools),
    ...torchFinding(hardware, tools),
    ...cudaFinding(hardware, tools),
    ...containerFinding(hardware, tools),
    ...enginesFinding(fitEngines(hardware, host, tools)),
  ]
}

function pythonFinding({ pythons, packages, tools }: Toolchains): Finding[] {
  const [first, ...others] = pythons
  if (!first) return []
  const facts = [
    `Python ${first.version}`,
    ...others.map(({ version }) => version),
    ...['pip', 'torch', 'vllm', 'sglang', 'lmdeploy'].flatMap((name) =>
      packages[name] === undefined ? [] : [`${name} ${packages[name]}`],
    ),
    ...Object.entries(tools).map(([name, version]) => `${name} ${version}`),
  ]
  return [ok('tools', { en: 'Tools', zh: '工具' }, same(facts.join(', ')))]
}

function torchFinding({ gpus }: Hardware, { packages, torchBuild }: Toolchains): Finding[] {
  const version = packages['torch']
  const card = gpus.find((gpu) => gpu.vendor === 'nvidia' || gpu.vendor === 'amd')
  if (version === undefined || torchBuild === undefined || card === undefined) return []
  const title = same('PyTorch')
  const wanted = card.vendor === 'nvidia' ? 'CUDA' : 'ROCm'
  const isRocm = torchBuild.startsWith('rocm')
  if (torchBuild === 'cpu' || isRocm !== (card.vendor === 'amd')) {
    return [
      warning(
        'torch',
        title,
        {
          en: `torch ${version} is built for ${torchBuild}, not for ${wanted}: engines in this Python will not use ${card.name}`,
          zh: `torch ${version} 为 ${torchBuild} 构建，不支持 ${wanted}：此 Python 中的引擎不会使用 ${card.name}`,
        },
        {
          en: 'Install the right build: uv pip install torch --torch-backend auto.',
          zh: '请安装合适的版本：uv pip install torch --torch-backend auto。',
        },
      ),
    ]
  }
  if (!isRocm && card.cudaVersion !== undefined && majorOf(torchBuild) > majorOf(card.cudaVersion)) {
    return [
      warning(
        'torch',
        title,
        {
          en: `torch ${version} needs CUDA ${torchBuild}; the driver knows ${card.cudaVersion} at most`,
          zh: `torch ${version} 需要 CUDA ${torchBuild}，而驱动最高支持 ${card.cudaVersion}`,
        },
        {
          en: 'Update the driver, or install a build for an older CUDA (uv pip install torch --torch-backend auto).',
          zh: '请升级驱动，或安装面向较旧 CUDA 的版本（uv pip install torch --torch-backend auto）。',
        },
      ),
    ]
  }
  return [ok('torch', title, same(`${version} (${isRocm ? torchBuild : `CUDA ${torchBuild}`})`))]
}

function cudaFinding({ gpus }: Hardware, { cudaToolkit }: Toolchains): Finding[] {
  const driver = gpus.find((gpu) => gpu.cudaVersion !== undefined)?.cudaVersion
  if (cudaToolkit === undefined) return []
  const title = same('CUDA')
  if (driver === undefined || compareVersions(cudaToolkit, driver) <= 0) return [ok('cuda', title, same(cudaToolkit))]
  return [
    warning(
      'cuda',
      title,
      {
        en: `the toolkit is ${cudaToolkit}, newer than what the driver runs (${driver})`,
        zh: `工具包为 ${cudaToolkit}，新于驱动支持的 ${driver}`,
      },
      {
        en: `Programs compiled here may not start: update the driver, or install CUDA ${driver}.`,
        zh: `在此编译的程序可能无法启动：请升级驱动，或安装 CUDA ${driver}。`,
      },
    ),
  ]
}

function containerFinding({ gpus }: Hardware, { container }: Toolchains): Finding[] {
  if (!container) return []
  const title: Localized = { en: 'Containers', zh: '容器' }
  const name = `${container.name} ${container.version}`
  if (container.state === 'no-permission') {
    return [
      warning(
        'container',
        title,
        { en: `${name}: this user may not use it`, zh: `${name}：当前用户无权使用` },
        { en: 'sudo usermod -aG docker $USER, then log in again.', zh: 'sudo usermod -aG docker $USER，然后重新登录。' },
      ),
    ]
  }
  if (container.state === 'not-running') return [ok('container', title, { en: `${name}, not running`, zh: `${name}，未运行` })]
  if (container.hasNvidia || !gpus.some((gpu) => gpu.vendor === 'nvidia')) return [ok('container', title, same(name))]
  return [
    warning(
      'container',
      title,
      { en: `${name} cannot give NVIDIA cards to containers`, zh: `${name} 无法将 NVIDIA 显卡交给容器` },
      {
        en: 'Install the NVIDIA container toolkit, then: sudo nvidia-ctk runtime configure && sudo systemctl restart docker.',
        zh: '请安装 NVIDIA Container Toolkit，然后执行 sudo nvidia-ctk runtime configure && sudo systemctl restart docker。',
      },
    ),
  ]
}

/** One line: which would run here, and what keeps the others away. An engine that is installed but cannot run is worth a warning. */
function enginesFinding(fits: readonly EngineFit[]): Finding[] {
  if (fits.length === 0) return []
  const title: Localized = { en: 'External engines', zh: '外部引擎' }
  const text = (language: keyof Localized): string =>
    fits
      .map(({ title: engine, installed, obstacles }) => {
        const [found, fine] = language === 'en' ? [' (installed)', 'would run'] : ['（已安装）', '可运行']
        const reasons = obstacles.map((obstacle) => obstacle[language]).join(language === 'en' ? ', ' : '，')
        return `${engine}${installed === undefined ? '' : found}: ${reasons || fine}`
      })
      .join('; ')
  const detail: Localized = { en: text('en'), zh: text('zh') }
  const broken = fits.find(({ installed, obstacles }) => installed !== undefined && obstacles.length > 0)
  if (!broken) return [ok('engines', title, detail)]
  return [
    warning('engines', title, detail, {
      en: `${broken.title} ${broken.installed} is installed, but would not start here: see above.`,
      zh: `已安装 ${broken.title} ${broken.installed}，但无法在本机启动：原因见上。`,
    }),
  ]
}

function majorOf(version: string): number {
  return Number.parseInt(version, 10) || 0
}
