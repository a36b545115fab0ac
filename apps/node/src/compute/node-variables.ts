import type { Task } from '../spec/job-spec.ts'
import { nodeVariablesOf, withNodeVariables } from '../spec/node-variables.ts'

/** The setting that names the variables of a node that its jobs may have. */
const VARIABLES_SETTING = 'Node.Compute.Env.AllowList'

/** The variables of a node, and which of them its jobs may have. */
export interface NodeVariables {
  /** Names; `*` in one stands for any characters. */
  readonly allowed: readonly string[]
  readonly values: Readonly<Record<string, string | undefined>>
}

/** Says why a node does not give a task the variables that it names; `null` where it does. */
export function variablesDenial(task: Task, { allowed, values }: NodeVariables): string | null {
  const names = nodeVariablesOf(task)
  const forbidden = names.find((name) => !allowed.some((pattern) => isLike(name, pattern)))
  if (forbidden !== undefined) {
    return `env:${forbidden} is a variable that this node does not give to jobs (${VARIABLES_SETTING})`
  }
  const missing = names.find((name) => values[name] === undefined)
  return missing === undefined ? null : `env:${missing} is a variable that this node does not have`
}

/** A task with the values of the variables that it names, which nothing else may keep. */
export interface ResolvedTask {
  readonly task: Task
  /** Puts the names back in place of the values, in a text that is stored or logged. */
  readonly hide: (text: string) => string
}

/** Puts the values of variables into a task that may have them. */
export function resolveTask(task: Task, { values }: NodeVariables): ResolvedTask {
  const secrets = nodeVariablesOf(task)
    .map((name) => ({ name, value: values[name] ?? '' }))
    .filter(({ value }) => value !== '')
    .sort((left, right) => right.value.length - left.value.length)
  if (secrets.length === 0 && nodeVariablesOf(task).length === 0) return { task, hide: (text) => text }
  return {
    task: withNodeVariables(task, (name) => values[name] ?? ''),
    hide: (text) => secrets.reduce((shown, { name, value }) => shown.replaceAll(value, `env:${name}`), text),
  }
}

function isLike(name: string, pattern: string): boolean {
  return new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(name)
}
