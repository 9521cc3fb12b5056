/** The system around the hardware. */
import { formatBytes } from '../../base/bytes.ts'
import type { Finding, Hardware } from '../../shared/hardware.ts'
import type { Localized } from '../../shared/language.ts'
import type { Host } from '../host.ts'
import { ok, same, warning } from './finding.ts'

/** A server with many connections and split models opens this many at most. */
const LEAST_OPEN_FILES = 1024
const LEAST_STACK_BYTES = 4 * 1024 * 1024
/** What PyTorch's collective libraries want of /dev/shm; Docker gives 64 MB. */
const LEAST_SHARED_BYTES = 1_000_000_000

export function hostFindings(host: Host, hardware: Hardware): Finding[] {
  return [
    ...systemFinding(host),
    ...limitFindings(host),
    ...sharedMemoryFinding(host, hardware),
    ...governorFinding(host),
    ...nodesFinding(hardware),
    ...selinuxFinding(host, hardware),
  ]
}

function systemFinding({ name, kernel, container, wsl, hugePages }: Host): Finding[] {
  const facts = [name, kernel && `Linux ${kernel}`, container, wsl && `WSL ${wsl}`, hugePages && `THP ${hugePages}`].filter(Boolean)
  const title: Localized = { en: 'System', zh: '系统' }
  if (wsl === 1) {
    return [
      warning(
        'system',
        title,
        { en: `${facts.join(', ')}: WSL 1 has no graphics card and slow files`, zh: `${facts.join(', ')}：WSL 1 不支持显卡，且文件很慢` },
        { en: 'Convert it: wsl --set-version <name> 2.', zh: '请升级：wsl --set-version <名称> 2。' },
      ),
    ]
  }
  return facts.length > 0 ? [ok('system', title, same(facts.join(', ')))] : []
}

function limitFindings({ limits: { openFiles, stackBytes } }: Host): Finding[] {
  const title: Localized = { en: 'Limits', zh: '系统限制' }
  const found: Finding[] = []
  if (openFiles !== undefined && openFiles < LEAST_OPEN_FILES) {
    found.push(
      warning(
        'limit-files',
        title,
        { en: `only ${openFiles} files and connections may be open at once`, zh: `最多只能同时打开 ${openFiles} 个文件与连接` },
        {
          en: 'Raise it: ulimit -n 65536 (systemd: LimitNOFILE=65536; Docker: --ulimit nofile=65536).',
          zh: '请提高：ulimit -n 65536（systemd：LimitNOFILE=65536；Docker：--ulimit nofile=65536）。',
        },
      ),
    )
  }
  if (stackBytes !== undefined && stackBytes < LEAST_STACK_BYTES) {
    found.push(
      warning(
        'limit-stack',
        title,
        {
          en: `threads have ${formatBytes(stackBytes)} of stack; native libraries may crash`,
          zh: `线程栈只有 ${formatBytes(stackBytes)}，原生库可能崩溃`,
        },
        { en: 'Raise it: ulimit -s 8192.', zh: '请提高：ulimit -s 8192。' },
      ),
    )
  }
  return found
}

/** Only for external engines that split a model over cards. */
function sharedMemoryFinding({ sharedMemoryBytes, container }: Host, { gpus }: Hardware): Finding[] {
  if (sharedMemoryBytes === undefined || sharedMemoryBytes >= LEAST_SHARED_BYTES || gpus.length < 2) return []
  const size = formatBytes(sharedMemoryBytes)
  return [
    warning(
      'shared-memory',
      { en: 'Shared memory', zh: '共享内存' },
      {
        en: `/dev/shm has ${size}: vLLM and SGLang crash when they split a model over cards`,
        zh: `/dev/shm 只有 ${size}：vLLM、SGLang 多卡运行时会崩溃`,
      },
      container === undefined
        ? { en: 'Make it larger: sudo mount -o remount,size=32G /dev/shm.', zh: '请增大：sudo mount -o remount,size=32G /dev/shm。' }
        : { en: 'Start the container with --shm-size 32g or --ipc=host.', zh: '请以 --shm-size 32g 或 --ipc=host 启动容器。' },
    ),
  ]
}

function governorFinding({ governor }: Host): Finding[] {
  if (governor !== 'powersave' && governor !== 'conservative') return []
  return [
    warning(
      'governor',
      { en: 'Processor clock', zh: '处理器频率' },
      { en: `the governor is "${governor}": answers may be slower than they need to be`, zh: `调频策略为 "${governor}"：回答可能偏慢` },
      {
        en: 'sudo cpupower frequency-set -g performance (harmless to skip where intel_pstate is active).',
        zh: 'sudo cpupower frequency-set -g performance（使用 intel_pstate 时可忽略）。',
      },
    ),
  ]
}

function nodesFinding({ cpu: { numaNodes = 1 } }: Hardware): Finding[] {
  if (numaNodes < 2) return []
  return [
    ok(
      'numa',
      { en: 'Memory nodes', zh: 'NUMA 节点' },
      {
        en: `${numaNodes} nodes: a model that fits into one is fastest there (numactl --cpunodebind=0 --membind=0 bendi serve)`,
        zh: `共 ${numaNodes} 个节点：模型能放进一个节点时，绑定该节点最快（numactl --cpunodebind=0 --membind=0 bendi serve）`,
      },
    ),
  ]
}

/** SELinux only harms where it keeps a container from the card. */
function selinuxFinding({ isSelinuxEnforcing, container }: Host, { troubles = [] }: Hardware): Finding[] {
  if (!isSelinuxEnforcing || container === undefined || !troubles.some(({ reason }) => reason === 'no-permission')) return []
  return [
    warning(
      'selinux',
      same('SELinux'),
      { en: 'it keeps this container from the graphics card', zh: '它阻止该容器访问显卡' },
      {
        en: 'On the host: sudo setsebool -P container_use_devices on.',
        zh: '请在宿主机执行：sudo setsebool -P container_use_devices on。',
      },
    ),
  ]
}
