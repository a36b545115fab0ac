import type { NetworkAccess } from '@saltcod/bacalhau-records'
import { bootId } from '../../compute/keeper/process-table.ts'
import { mountPath } from '../../inputs/mount-path.ts'
import { requestedCapacity } from '../../spec/requested-capacity.ts'
import type { EngineRun } from '../engine.ts'
import { jobEnvironment } from '../environment.ts'
import { isOnHostNetwork } from '../network.ts'
import type { TakenPorts } from '../ports.ts'
import { LABELS, mountNamespace } from './container-name.ts'
import type { DockerParameters } from './parameters.ts'

/** What the log of a container may take on the side of its server: what is kept of both streams, escaped. */
const LOG_SPREAD = 8
const LEAST_LOG_BYTES = 1024 * 1024
/** No server takes less. */
const LEAST_CPUS = 0.01

/** Whose containers they are. */
export interface Owner {
  readonly nodeId: string
  /** Where the node keeps its runs. */
  readonly dataDir: string
}

/** What a container has beside what its job says. */
export interface ContainerExtras {
  readonly maxProcesses: number
  readonly ports: TakenPorts
  /** False for a server that only speaks its API. */
  readonly isDocker: boolean
}

const NETWORKS: Readonly<Record<NetworkAccess['Type'], string>> = {
  Default: 'bridge',
  Bridge: 'bridge',
  None: 'none',
  Host: 'host',
  Full: 'host',
  // Refused before.
  HTTP: 'none',
}

/** What a container is made of, in the words of the Docker Engine API. */
export function containerSpec(
  run: EngineRun,
  params: DockerParameters,
  { nodeId, dataDir }: Owner,
  { maxProcesses, ports, isDocker }: ContainerExtras,
): object {
  const { limits, work, task, job } = run
  const { memoryBytes, cpus, logBytes } = limits
  const isMapped = ports.taken.length > 0 && mapsPortsOf(task.Network)
  const { gpu } = requestedCapacity(task.Resources)
  const network = NETWORKS[task.Network?.Type ?? 'Default']
  return {
    Image: params.Image,
    ...(params.Entrypoint.length === 0 ? {} : { Entrypoint: params.Entrypoint }),
    ...(params.Parameters.length === 0 ? {} : { Cmd: params.Parameters }),
    ...(params.WorkingDirectory === '' ? {} : { WorkingDir: params.WorkingDirectory }),
    Env: environmentOf(run, params, ports),
    AttachStdin: false,
    OpenStdin: false,
    Tty: false,
    Labels: {
      [LABELS.node]: nodeId,
      [LABELS.execution]: run.executionId,
      [LABELS.attempt]: String(run.attempt),
      [LABELS.job]: job.id,
      [LABELS.place]: dataDir,
      [LABELS.boot]: bootId(),
      [LABELS.mounts]: mountNamespace(),
    },
    ...(isMapped ? { ExposedPorts: exposedOf(ports) } : {}),
    HostConfig: {
      NetworkMode: network,
      // As Bacalhau has it; Podman has a name of its own for the host.
      ...(isDocker && network !== 'none' ? { ExtraHosts: ['host.docker.internal:host-gateway'] } : {}),
      Mounts: work.inputs.map(({ hostPath, target }) => ({
        Type: 'bind',
        Source: hostPath,
        Target: mountPath(target),
        ReadOnly: true,
      })),
      ...(isMapped ? { PortBindings: bindingsOf(ports) } : {}),
      PidsLimit: maxProcesses,
      ...(memoryBytes === null ? {} : { Memory: memoryBytes, MemorySwap: memoryBytes }),
      ...(cpus === null ? {} : { NanoCpus: Math.round(Math.max(cpus, LEAST_CPUS) * 1e9) }),
      ...(gpu > 0 ? { DeviceRequests: [{ Count: gpu, Capabilities: [['gpu']] }] } : {}),
      LogConfig: {
        Type: 'json-file',
        Config: { 'max-size': String(Math.max(logBytes * 2 * LOG_SPREAD, LEAST_LOG_BYTES)), 'max-file': '1' },
      },
      RestartPolicy: { Name: 'no' },
    },
  }
}

/** Tells whether the ports of a task lead from the host into a network of its own. */
export function mapsPortsOf(network: NetworkAccess | undefined): boolean {
  return network === undefined || !isOnHostNetwork(network)
}

function exposedOf({ taken }: TakenPorts): object {
  return Object.fromEntries(taken.map(({ jobPort }) => [`${jobPort}/tcp`, {}]))
}

function bindingsOf({ taken }: TakenPorts): object {
  const bindings: Record<string, object[]> = {}
  for (const { jobPort, hostPort, hostNetwork } of taken) {
    bindings[`${jobPort}/tcp`] ??= []
    bindings[`${jobPort}/tcp`]?.push({ HostIp: hostNetwork, HostPort: String(hostPort) })
  }
  return bindings
}

/** The variables of the engine are stronger than those of the task, as with Bacalhau. */
function environmentOf(
  run: EngineRun,
  { EnvironmentVariables }: DockerParameters,
  ports: TakenPorts,
): readonly string[] {
  const own = EnvironmentVariables.map((text) => {
    const at = text.indexOf('=')
    return [text.slice(0, at), text.slice(at + 1)] as const
  })
  const all = { ...jobEnvironment(run), ...ports.environment, ...Object.fromEntries(own) }
  return Object.entries(all).map(([name, value]) => `${name}=${value}`)
}
