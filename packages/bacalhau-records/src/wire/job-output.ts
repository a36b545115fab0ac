import type { Job } from '@saltcod/store-core'
import type { JobSpec, NetworkAccess, Task } from '../spec/job-spec.ts'
import type { ClientVersion } from './client-version.ts'
import type { WireJob, WireTask } from './models.ts'
import { HOLD_META, ORCHESTRATOR_META, REQUESTER_META } from './reserved-meta.ts'
import { toNanoseconds } from './time.ts'

/**
 * Writes a job as a client of some version reads it, with the id of the requester that has it. Bacalhau has no place
 * for a hold, so it is written into the meta.
 */
export function jobToWire(job: Job<JobSpec>, client: ClientVersion, requesterId: string): WireJob {
  const { Tasks, Constraints, Meta, ...others } = job.spec
  return {
    ID: job.id,
    Name: job.name,
    Namespace: job.namespace,
    Type: job.type,
    Priority: job.priority,
    Count: job.count,
    Constraints,
    Meta: {
      [ORCHESTRATOR_META]: requesterId,
      [REQUESTER_META]: requesterId,
      // A job that came from Bacalhau's files says which requester took it.
      ...Meta,
      ...(job.hold === null ? {} : { [HOLD_META]: job.hold }),
    },
    Labels: job.labels,
    Tasks: Tasks.map((task) => taskToWire(task, client)),
    ...others,
    State: { StateType: job.state, Message: job.stateMessage },
    Version: job.version,
    Revision: job.revision,
    CreateTime: toNanoseconds(job.createdAtMs),
    ModifyTime: toNanoseconds(job.modifiedAtMs),
  }
}

function taskToWire(task: Task, client: ClientVersion): WireTask {
  return {
    ...task,
    Resources: withoutEmpty(task.Resources),
    Network: networkToWire(task.Network, client),
    Timeouts: withoutZero(task.Timeouts),
  }
}

/** An older client cannot read an answer at all where the network type is a word that it does not know. */
function networkToWire(network: NetworkAccess, client: ClientVersion): WireTask['Network'] {
  const known = client.newNetworkTypes || ['None', 'HTTP', 'Full'].includes(network.Type)
  return {
    Type: known ? network.Type : 'Full',
    ...(network.Domains.length === 0 ? {} : { Domains: network.Domains }),
    ...(network.Ports.length === 0 ? {} : { Ports: network.Ports }),
  }
}

function withoutEmpty<T extends object>(texts: T): Partial<T> {
  return Object.fromEntries(Object.entries(texts).filter(([, value]) => value !== '')) as Partial<T>
}

function withoutZero<T extends object>(numbers: T): Partial<T> {
  return Object.fromEntries(Object.entries(numbers).filter(([, value]) => value !== 0)) as Partial<T>
}
