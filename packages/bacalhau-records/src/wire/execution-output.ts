import type { Execution, Json } from '@saltcod/store-core'
import { looseField } from '../spec/loose-field.ts'
import type { ClientVersion } from './client-version.ts'
import type { WireExecution, WireJob, WireResources, WireRunOutput, WireSpecConfig } from './models.ts'
import { desiredStateNumber, executionStateNumber } from './state-number.ts'
import { toNanoseconds } from './time.ts'

/**
 * Writes an execution as a client of some version reads it; its task is called `taskName`, its job may be part of it.
 */
export function executionToWire(
  execution: Execution,
  taskName: string,
  client: ClientVersion,
  job?: WireJob,
): WireExecution {
  return {
    ID: execution.id,
    Namespace: execution.namespace,
    EvalID: execution.evaluationId ?? '',
    Name: '',
    NodeID: execution.nodeId,
    JobID: execution.jobId,
    ...(job === undefined ? {} : { Job: job }),
    JobVersion: execution.jobVersion,
    AllocatedResources: {
      Tasks: execution.resources === null ? {} : { [taskName]: resourcesToWire(execution.resources) },
    },
    DesiredState: {
      StateType: desiredStateNumber(execution.desiredState),
      Message: execution.desiredMessage,
    },
    ComputeState: {
      StateType: executionStateNumber(execution.state, client),
      Message: execution.stateMessage,
    },
    ...(execution.endReason === null ? {} : { EndReason: execution.endReason }),
    PublishedResult: specConfigToWire(execution.publishedResult) ?? { Type: '' },
    RunOutput: runOutputToWire(execution.runOutput),
    PreviousExecution: execution.previousExecutionId ?? '',
    NextExecution: '',
    FollowupEvalID: '',
    ...(execution.partition === null ? {} : { PartitionIndex: execution.partition }),
    Revision: execution.revision,
    CreateTime: toNanoseconds(execution.createdAtMs),
    ModifyTime: toNanoseconds(execution.modifiedAtMs),
  }
}

/** Writes amounts of resources; what is not known is left out. */
export function resourcesToWire(resources: Json): WireResources {
  const amount = (...names: readonly string[]): number | undefined => {
    for (const name of names) {
      const value = looseField(resources, name)
      if (typeof value === 'number' && value >= 0) return value
    }
    return undefined
  }
  const CPU = amount('cpu')
  const Memory = amount('memoryBytes', 'memory')
  const Disk = amount('diskBytes', 'disk')
  const GPU = amount('gpu')
  return {
    ...(CPU === undefined ? {} : { CPU }),
    ...(Memory === undefined ? {} : { Memory: Math.round(Memory) }),
    ...(Disk === undefined ? {} : { Disk: Math.round(Disk) }),
    ...(GPU === undefined ? {} : { GPU: Math.round(GPU) }),
  }
}

/** Writes a type with its parameters; `null` where there is none. */
export function specConfigToWire(value: Json): WireSpecConfig | null {
  const type = looseField(value, 'type')
  if (typeof type !== 'string' || type === '') return null
  const params = looseField(value, 'params')
  const known = typeof params === 'object' && params !== null && !Array.isArray(params)
  return { Type: type, ...(known ? { Params: params as { readonly [name: string]: Json } } : {}) }
}

function runOutputToWire(output: Json): WireRunOutput | null {
  if (typeof output !== 'object' || output === null) return null
  const text = (...names: readonly string[]): string => {
    for (const name of names) {
      const value = looseField(output, name)
      if (typeof value === 'string') return value
    }
    return ''
  }
  const exitCode = looseField(output, 'exitCode')
  return {
    Stdout: text('stdout'),
    StdoutTruncated: looseField(output, 'stdoutTruncated') === true,
    stderr: text('stderr'),
    StderrTruncated: looseField(output, 'stderrTruncated') === true,
    ExitCode: typeof exitCode === 'number' ? Math.trunc(exitCode) : -1,
    ErrorMsg: text('errorMessage', 'errorMsg'),
  }
}
