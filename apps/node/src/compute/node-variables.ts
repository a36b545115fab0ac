import type { Task } from '@saltcod/bacalhau-records'
import { nodeVariablesOf, withNodeVariables } from '../spec/node-variables.ts'

/** The setting that names the variables of a node that its jobs may have. */
const VARIABLES_SETTING = 'Node.Compute.Env.AllowList'

/** The variables of a node, and which of them its jobs may have. */
export interface NodeVariables {
  /** Names; `*` in one stands for any characters. */
  readonly allowed: readonly string[]
  readonly values: Readonly<Record<string, string | undefined>>
}

/** Puts the names of variables back in place of their values, in a text that is stored or logged. */
export type Hide = (text: string) => string

/** A task with the values of the variables that it names, which nothing else may keep. */
export interface ResolvedTask {
  readonly task: Task
  readonly hide: Hide
}

/** What is shorter is no secret, and stands in too many other words. */
const SHORTEST_HIDDEN = 4

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
    .flatMap((name) => formsOf(values[name] ?? '').map((form) => ({ name, form })))
    .sort((left, right) => right.form.length - left.form.length)
  return {
    task: withNodeVariables(task, (name) => values[name] ?? ''),
    hide: (text) => secrets.reduce((shown, { name, form }) => shown.replaceAll(form, `env:${name}`), text),
  }
}

/** Returns how to hide the variables of a task in what a run of it left, though it could not be run as it is now. */
export function hideOf(task: Task, variables: NodeVariables): Hide {
  const resolved = resolveTask(task, variables)
  return typeof resolved === 'string' ? (text) => text : resolved.hide
}

/** The ways in which messages may write a value, and each of its lines, which an output may show alone. */
function formsOf(value: string): readonly string[] {
  const written = [value, ...value.split(/\r?\n/)].flatMap((text) => [
    text,
    JSON.stringify(text).slice(1, -1),
    encodeURI(Buffer.from(text).toString()),
    encodeURIComponent(Buffer.from(text).toString()),
    ...(URL.canParse(text) ? [new URL(text).href] : []),
  ])
  return [...new Set(written)].filter((form) => form.length >= SHORTEST_HIDDEN)
}

function isLike(name: string, pattern: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[\\^$.+?()[\]{}|]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`).test(name)
}
