/** Looks for what keeps models from running well, in the words of the person who must mend it. Never throws. */
import { createHttp } from '../base/http.ts'
import type { Http } from '../base/http.ts'
import type { ProxySettings } from '../base/proxy.ts'
import type { Finding, Hardware } from '../shared/hardware.ts'
import { gpuFindings } from './findings/gpus.ts'
import { hostFindings } from './findings/host.ts'
import {
  cpuFinding,
  diskFinding,
  diskKindFindings,
  diskSpeedFindings,
  memoryFinding,
  nodeFinding,
  swapFindings,
} from './findings/machine.ts'
import { hubFindings, offlineFinding, portFindings, proxyFindings } from './findings/network.ts'
import type { HubAddress, PortProbes, PortWish } from './findings/network.ts'
import { toolFindings } from './findings/tools.ts'
import type { Host } from './host.ts'
import { portOwner, probePort } from './port.ts'
import { thisSystem } from './system.ts'
import type { Toolchains } from './toolchains.ts'

export interface DiagnoseInput {
  hardware: Hardware
  /** Absent = not looked at. */
  host?: Host
  tools?: Toolchains
  /** e.g. `v20.19.0`; the running one by default. */
  nodeVersion?: string
  /** Where the server would listen. */
  port?: PortWish
  /** Addresses that are asked whether they answer; none when offline. */
  hubs?: readonly HubAddress[]
  proxies?: ProxySettings
  extraCertificates?: readonly string[]
  offline?: boolean
  /** What the kernel probe found, or anything else that the platform knows. */
  extra?: readonly Finding[]
  signal?: AbortSignal
  /** For tests. */
  http?: Http
  ports?: PortProbes
}

const CONNECT_TIMEOUT_MS = 3000
const PORTS: PortProbes = { state: probePort, ownerOf: (port) => portOwner(thisSystem, port) }

/** In the order in which a person should read them. */
export async function diagnose(input: DiagnoseInput): Promise<Finding[]> {
  const { hardware, host = { limits: {} }, tools } = input
  const [port, hubs] = await Promise.all([input.port ? portFindings(input.port, input.ports ?? PORTS) : [], askHubs(input)])
  return [
    nodeFinding(input.nodeVersion ?? process.version),
    cpuFinding(hardware),
    ...(input.extra ?? []),
    memoryFinding(hardware),
    ...swapFindings(hardware),
    diskFinding(hardware),
    ...diskKindFindings(hardware),
    ...diskSpeedFindings(hardware),
    ...gpuFindings(hardware),
    ...hostFindings(host, hardware),
    ...(tools ? toolFindings(hardware, host, tools) : []),
    ...port,
    ...proxyFindings(input.proxies),
    ...hubs,
  ]
}

async function askHubs({ hubs = [], offline, http, proxies, extraCertificates, signal }: DiagnoseInput): Promise<Finding[]> {
  if (offline) return [offlineFinding()]
  if (http) return hubFindings(hubs, http, signal)
  const own = createHttp({
    ...(proxies ? { proxies } : {}),
    ...(extraCertificates ? { extraCertificates } : {}),
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
  })
  try {
    return await hubFindings(hubs, own, signal)
  } finally {
    await own.close()
  }
}
