import { type Constraint, OPERATORS, resultFolder, type Task } from '@saltcod/bacalhau-records'
import { JOB_TYPES } from '@saltcod/store-core'
import { parseBytes, parseCpu, parseGpu } from '@saltcod/units'
import { isBadNodeVariable } from '../spec/node-variables.ts'
import type { Problem } from '../spec/problem.ts'
import type { JobInput } from './submit-schema.ts'

const ENV_NAME = /^[A-Z][A-Z0-9_]*$/

/**
 * Lists what makes no sense in a job that a client submits, each as a line that is read alone; empty where all is
 * well.
 */
export function jobProblems(job: JobInput): readonly Problem[] {
  const { Type, Count, ID, Name, Namespace, Constraints, Tasks } = job
  const count = Count ?? 0
  const onAllNodes = Type === 'daemon' || Type === 'ops'
  return [
    ...typeProblems(Type),
    ...unless(count >= 0, ['Count'], 'job count must be >= 0'),
    ...unless(
      !onAllNodes || count <= 1,
      ['Count'],
      `${Type} jobs cannot specify count > 1 as they run on all matching nodes`,
    ),
    ...unless(!/[\s\0]/.test(ID), ['ID'], 'job ID contains a space or null character'),
    ...unless(!/\0/.test(Name), ['Name'], 'job name contains a null character'),
    ...unless(!/[\s\0]/.test(Namespace), ['Namespace'], 'job namespace contains a space or null character'),
    ...Constraints.flatMap((constraint, index) =>
      below(
        ['Constraints', index],
        `constraint ${index + 1} validation failed: `,
        constraintProblems(constraint),
      ),
    ),
    ...unless(Tasks.length > 0, ['Tasks'], 'missing job tasks'),
    ...unless(Tasks.length <= 1, ['Tasks'], `a job has one task, not ${Tasks.length}: submit a job for each`),
    ...Tasks.slice(0, 1).flatMap((task, index) =>
      below(
        ['Tasks', index],
        `${task.Name === '' ? 'task' : `task ${task.Name}`} validation failed: `,
        taskProblems(task),
      ),
    ),
  ]
}

function unless(holds: boolean, path: readonly PropertyKey[], message: string): Problem[] {
  return holds ? [] : [{ path, message }]
}

function below(path: readonly PropertyKey[], lead: string, problems: readonly Problem[]): Problem[] {
  return problems.map((problem) => ({
    path: [...path, ...problem.path],
    message: `${lead}${problem.message}`,
  }))
}

function typeProblems(type: string): Problem[] {
  if (type === '') return [{ path: ['Type'], message: 'missing job type' }]
  const known = (JOB_TYPES as readonly string[]).includes(type)
  return unless(known, ['Type'], `invalid job type: "${type}" (it is one of ${JOB_TYPES.join(', ')})`)
}

function constraintProblems({ Key, Operator, Values }: Constraint): Problem[] {
  if (Key.trim() === '') return [{ path: ['Key'], message: 'missing key' }]
  if (!OPERATORS.includes(Operator)) {
    return [{ path: ['Operator'], message: `invalid operator "${Operator}"` }]
  }
  const wrong = (message: string): Problem[] => [
    { path: ['Values'], message: `operator "${Operator}" ${message}` },
  ]
  if (Operator === 'in' || Operator === 'notin') {
    return Values.length === 0 ? wrong('needs at least one value') : []
  }
  if (Operator === 'exists' || Operator === '!') return Values.length > 0 ? wrong('takes no value') : []
  if (Values.length !== 1) return wrong('needs exactly one value')
  const numeric = Operator === 'gt' || Operator === 'lt'
  return numeric && !/^-?\d+$/.test(Values[0] ?? '') ? wrong('needs a whole number') : []
}

function taskProblems(task: Task): Problem[] {
  return [
    ...unless(task.Name !== '', ['Name'], 'missing task name'),
    ...unless(!/\0/.test(task.Name), ['Name'], 'task name contains a null character'),
    ...unless(task.Engine.Type !== '', ['Engine', 'Type'], 'engine: missing spec type'),
    ...inputProblems(task),
    ...resultProblems(task),
    ...envProblems(task),
    ...resourceProblems(task),
    ...timeoutProblems(task),
    ...networkProblems(task),
  ]
}

function inputProblems({ InputSources }: Task): Problem[] {
  const path = ['InputSources']
  const problems = InputSources.flatMap(({ Source, Target }, index) => [
    ...unless(Source.Type !== '', [...path, index, 'Source', 'Type'], 'input source: missing spec type'),
    ...unless(Target !== '', [...path, index, 'Target'], 'input source is missing a target'),
  ])
  const aliases = InputSources.map(({ Alias }) => Alias).filter((alias) => alias !== '')
  const targets = InputSources.map(({ Target }) => Target)
  return [
    ...problems,
    ...duplicates(aliases).map((alias) => ({ path, message: `duplicate input source alias "${alias}"` })),
    ...duplicates(targets).map((target) => ({ path, message: `duplicate input source target "${target}"` })),
  ]
}

function resultProblems({ ResultPaths }: Task): Problem[] {
  const path = ['ResultPaths']
  const problems = ResultPaths.flatMap(({ Name, Path }, index) => {
    const folder = resultFolder(Name)
    const isPlain = folder !== '' && !(/[/\\\0]/.test(folder) || folder === '.' || folder === '..')
    return [
      ...unless(Name !== '', [...path, index, 'Name'], 'result path is missing a name'),
      ...unless(
        Name === '' || isPlain,
        [...path, index, 'Name'],
        `result path name "${Name}" must be a plain file name`,
      ),
      ...unless(Path !== '', [...path, index, 'Path'], `result path "${Name}" is missing a path`),
      ...unless(
        Path === '' || Path.startsWith('/'),
        [...path, index, 'Path'],
        `result path "${Path}" must be absolute`,
      ),
    ]
  })
  const names = duplicates(ResultPaths.map(({ Name }) => resultFolder(Name)))
  const paths = duplicates(ResultPaths.map(({ Path }) => Path))
  return [
    ...problems,
    ...names.map((name) => ({ path, message: `duplicate result path name "${name}"` })),
    ...paths.map((twice) => ({ path, message: `duplicate result path "${twice}"` })),
  ]
}

function envProblems({ Env }: Task): Problem[] {
  return Object.entries(Env).flatMap(([name, value]) => {
    const wrong = (holds: boolean, what: string): Problem[] =>
      unless(holds, ['Env', name], `environment variable "${name}" ${what}`)
    return [
      ...wrong(ENV_NAME.test(name), 'must be upper case letters, digits and _, and begin with a letter'),
      ...wrong(!name.startsWith('BACALHAU_'), 'has a reserved prefix'),
      ...wrong(value !== '', 'has no value'),
      ...wrong(!isBadNodeVariable(value), 'must name a variable of the node, as env:NAME'),
      ...wrong(!value.includes('\0'), 'contains a null character'),
    ]
  })
}

function resourceProblems({ Resources }: Task): Problem[] {
  const { CPU, Memory, Disk, GPU } = Resources
  const reads = (amount: string, parse: (text: string) => number | undefined): boolean =>
    amount === '' || parse(amount) !== undefined
  const wrong = (name: string, holds: boolean, message: string): Problem[] =>
    unless(holds, ['Resources', name], message)
  return [
    ...wrong('CPU', reads(CPU, parseCpu), `invalid CPU "${CPU}", write it as 500m or 0.5`),
    ...wrong('Memory', reads(Memory, parseBytes), `invalid memory "${Memory}", write it as 512mb or 1gi`),
    ...wrong('Disk', reads(Disk, parseBytes), `invalid disk "${Disk}", write it as 10gb or 1gi`),
    ...wrong('GPU', reads(GPU, parseGpu), `invalid GPU "${GPU}", write it as a whole number`),
  ]
}

function timeoutProblems({ Timeouts }: Task): Problem[] {
  const path = ['Timeouts']
  const { ExecutionTimeout, QueueTimeout, TotalTimeout } = Timeouts
  if (ExecutionTimeout < 0 || QueueTimeout < 0 || TotalTimeout < 0) {
    return [{ path, message: 'timeouts must be >= 0' }]
  }
  return unless(
    TotalTimeout === 0 || ExecutionTimeout + QueueTimeout <= TotalTimeout,
    path,
    `execution timeout ${ExecutionTimeout}s and queue timeout ${QueueTimeout}s together exceed total timeout ${TotalTimeout}s`,
  )
}

function networkProblems({ Network }: Task): Problem[] {
  const { Type, Domains, Ports } = Network
  const path = ['Network', 'Ports']
  const takesPorts = Type === 'Host' || Type === 'Full' || Type === 'Bridge'
  return [
    ...unless(
      Domains.length === 0 || Type === 'HTTP',
      ['Network', 'Domains'],
      'domains can only be set for HTTP network mode',
    ),
    ...unless(
      Ports.length === 0 || takesPorts,
      path,
      'ports can only be set for Host or Bridge network modes',
    ),
    ...Ports.flatMap(({ Name, Static, Target }, index) => [
      ...unless(
        ENV_NAME.test(Name.toUpperCase()),
        [...path, index, 'Name'],
        `port name "${Name}" is not a valid name`,
      ),
      ...unless(
        Static === 0 || (Static >= 1024 && Static <= 65_535),
        [...path, index, 'Static'],
        `static port ${Static} is not in 1024-65535`,
      ),
      ...unless(
        Target >= 0 && Target <= 65_535,
        [...path, index, 'Target'],
        `target port ${Target} is not in 0-65535`,
      ),
    ]),
    ...duplicates(Ports.map(({ Name }) => Name)).map((name) => ({
      path,
      message: `duplicate port name "${name}"`,
    })),
  ]
}

/** What is missing is told of each, and is no duplicate of another that is missing. */
function duplicates(values: readonly string[]): string[] {
  return [...new Set(values.filter((value, index) => value !== '' && values.indexOf(value) !== index))]
}
