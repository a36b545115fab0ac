import { JOB_TYPES } from '@saltcod/store-core'
import { parseBytes, parseCpu, parseGpu } from '@saltcod/units'
import type { JobInput } from './job-schema.ts'

type TaskInput = JobInput['Tasks'][number]

const OPERATORS = new Set(['=', '==', '!=', 'in', 'notin', 'exists', '!', 'gt', 'lt'])
const ENV_NAME = /^[A-Z][A-Z0-9_]*$/

/** Lists what is wrong with a job that a client submits; empty where all is well. */
export function jobProblems(job: JobInput): string[] {
  const problems: string[] = []
  if (job.Type === '') problems.push('missing job type')
  else if (!(JOB_TYPES as readonly string[]).includes(job.Type)) {
    problems.push(`invalid job type: "${job.Type}" (it is one of ${JOB_TYPES.join(', ')})`)
  }
  const count = job.Count ?? 0
  if (count < 0) problems.push('job count must be >= 0')
  if ((job.Type === 'daemon' || job.Type === 'ops') && count > 1) {
    problems.push(`${job.Type} jobs cannot specify count > 1 as they run on all matching nodes`)
  }
  if (/[\s\0]/.test(job.ID)) problems.push('job ID contains a space or null character')
  if (/\0/.test(job.Name)) problems.push('job name contains a null character')
  if (/[\s\0]/.test(job.Namespace)) problems.push('job namespace contains a space or null character')
  for (const [index, constraint] of job.Constraints.entries()) {
    for (const problem of constraintProblems(constraint)) {
      problems.push(`constraint ${index + 1} validation failed: ${problem}`)
    }
  }
  if (job.Tasks.length === 0) problems.push('missing job tasks')
  if (job.Tasks.length > 1)
    problems.push(`a job has one task, not ${job.Tasks.length}: submit a job for each`)
  for (const task of job.Tasks.slice(0, 1)) {
    const name = task.Name === '' ? 'task' : `task ${task.Name}`
    for (const problem of taskProblems(task)) problems.push(`${name} validation failed: ${problem}`)
  }
  return problems
}

function constraintProblems({ Key, Operator, Values }: JobInput['Constraints'][number]): string[] {
  if (Key.trim() === '') return ['missing key']
  if (!OPERATORS.has(Operator)) return [`invalid operator "${Operator}"`]
  if (Operator === 'in' || Operator === 'notin') {
    return Values.length === 0 ? [`operator "${Operator}" needs at least one value`] : []
  }
  if (Operator === 'exists' || Operator === '!') {
    return Values.length > 0 ? [`operator "${Operator}" takes no value`] : []
  }
  if (Values.length !== 1) return [`operator "${Operator}" needs exactly one value`]
  const numeric = Operator === 'gt' || Operator === 'lt'
  return numeric && !/^-?\d+$/.test(Values[0] ?? '') ? [`operator "${Operator}" needs a whole number`] : []
}

function taskProblems(task: TaskInput): string[] {
  return [
    ...(task.Name === '' ? ['missing task name'] : []),
    ...(/\0/.test(task.Name) ? ['task name contains a null character'] : []),
    ...(task.Engine.Type === '' ? ['engine: missing spec type'] : []),
    ...inputProblems(task),
    ...resultProblems(task),
    ...envProblems(task),
    ...resourceProblems(task),
    ...timeoutProblems(task),
    ...networkProblems(task),
  ]
}

function inputProblems(task: TaskInput): string[] {
  const problems: string[] = []
  for (const { Source, Target } of task.InputSources) {
    if (Source.Type === '') problems.push('input source: missing spec type')
    if (Target === '') problems.push('input source is missing a target')
  }
  const aliases = task.InputSources.map((input) => input.Alias).filter((alias) => alias !== '')
  const targets = task.InputSources.map((input) => input.Target)
  for (const alias of duplicates(aliases)) problems.push(`duplicate input source alias "${alias}"`)
  for (const target of duplicates(targets)) problems.push(`duplicate input source target "${target}"`)
  return problems
}

function resultProblems(task: TaskInput): string[] {
  const problems: string[] = []
  for (const { Name, Path } of task.ResultPaths) {
    if (Name === '') problems.push('result path is missing a name')
    else if (/[/\\\0]/.test(Name) || Name === '.' || Name === '..') {
      problems.push(`result path name "${Name}" must be a plain file name`)
    }
    if (Path === '') problems.push(`result path "${Name}" is missing a path`)
    else if (!Path.startsWith('/')) problems.push(`result path "${Path}" must be absolute`)
  }
  for (const name of duplicates(task.ResultPaths.map((path) => path.Name))) {
    problems.push(`duplicate result path name "${name}"`)
  }
  for (const path of duplicates(task.ResultPaths.map((path) => path.Path))) {
    problems.push(`duplicate result path "${path}"`)
  }
  return problems
}

function envProblems(task: TaskInput): string[] {
  const problems: string[] = []
  for (const [name, value] of Object.entries(task.Env)) {
    if (!ENV_NAME.test(name)) {
      problems.push(
        `environment variable "${name}" must be upper case letters, digits and _, and begin with a letter`,
      )
    }
    if (name.startsWith('BACALHAU_')) problems.push(`environment variable "${name}" has a reserved prefix`)
    if (value === '') problems.push(`environment variable "${name}" has no value`)
    if (value.includes('\0')) problems.push(`environment variable "${name}" contains a null character`)
  }
  return problems
}

function resourceProblems({ Resources }: TaskInput): string[] {
  const { CPU, Memory, Disk, GPU } = Resources
  return [
    ...(CPU !== '' && parseCpu(CPU) === undefined ? [`invalid CPU "${CPU}", write it as 500m or 0.5`] : []),
    ...(Memory !== '' && parseBytes(Memory) === undefined
      ? [`invalid memory "${Memory}", write it as 512mb or 1gi`]
      : []),
    ...(Disk !== '' && parseBytes(Disk) === undefined
      ? [`invalid disk "${Disk}", write it as 10gb or 1gi`]
      : []),
    ...(GPU !== '' && parseGpu(GPU) === undefined
      ? [`invalid GPU "${GPU}", write it as a whole number`]
      : []),
  ]
}

function timeoutProblems({ Timeouts }: TaskInput): string[] {
  const { ExecutionTimeout, QueueTimeout, TotalTimeout } = Timeouts
  if (ExecutionTimeout < 0 || QueueTimeout < 0 || TotalTimeout < 0) return ['timeouts must be >= 0']
  if (TotalTimeout > 0 && ExecutionTimeout + QueueTimeout > TotalTimeout) {
    return [
      `execution timeout ${ExecutionTimeout}s and queue timeout ${QueueTimeout}s together exceed total timeout ${TotalTimeout}s`,
    ]
  }
  return []
}

function networkProblems({ Network }: TaskInput): string[] {
  const problems: string[] = []
  const { Type, Domains, Ports } = Network
  if (Domains.length > 0 && Type !== 'HTTP') problems.push('domains can only be set for HTTP network mode')
  const takesPorts = Type === 'Host' || Type === 'Full' || Type === 'Bridge'
  if (Ports.length > 0 && !takesPorts) problems.push('ports can only be set for Host or Bridge network modes')
  for (const { Name, Static, Target } of Ports) {
    if (!ENV_NAME.test(Name.toUpperCase())) problems.push(`port name "${Name}" is not a valid name`)
    if (Static !== 0 && (Static < 1024 || Static > 65_535))
      problems.push(`static port ${Static} is not in 1024-65535`)
    if (Target < 0 || Target > 65_535) problems.push(`target port ${Target} is not in 0-65535`)
  }
  for (const name of duplicates(Ports.map((port) => port.Name)))
    problems.push(`duplicate port name "${name}"`)
  return problems
}

function duplicates(values: readonly string[]): string[] {
  return [...new Set(values.filter((value, index) => values.indexOf(value) !== index))]
}
