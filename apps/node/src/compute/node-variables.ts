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

/** A task with the values of the variables that it names, which nothing else may keep. */
export interface ResolvedTask {
  readonly task: Task
  /** Puts the names back in place of the values, in a text that is stored or logged. */
  readonly hide: (text: string) => string
}

/** Puts the values of variables into a task; a text says why this node does not give it one of them. */
export function resolveTask(task: Task, { allowed, values }: NodeVariables): ResolvedTask | string {
  const names = nodeVariablesOf(task)
  if (names.length === 0) return { task, hide: (text) => text }
  const forbidden = names.find((name) => !allowed.some((pattern) => isLike(name, pattern)))
  if (forbidden !== undefined) {
    return `env:${forbidden} is a variable that this node does not give to jobs (${VARIABLES_SETTING})`
  }
  // An object has more than its own, such as `constructor`.
  const missing = names.find((name) => !Object.hasOwn(values, name) || values[name] === undefined)
  if (missing !== undefined) return `env:${missing} is a variable that this node does not have`
  const secrets = names
    .map((name) => ({ name, value: values[name] ?? '' }))
    .filter(({ value }) => value !== '')
    .sort((left, right) => right.value.length - left.value.length)
  return {
    task: withNodeVariables(task, (name) => values[name] ?? ''),
    hide: (text) => secrets.reduce((shown, { name, value }) => shown.replaceAll(value, `env:${name}`), text),
  }
}

function isLike(name: string, pattern: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[\\^$.+?()[\]{}|]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`).test(name)
}
