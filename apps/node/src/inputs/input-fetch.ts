import type { TreeCopy } from '../compute/files/copy-tree.ts'
import type { TaskError, TaskErrorCode } from '../compute/task-error.ts'
import type { InputPolicy } from './input-policy.ts'

/** One input on its way to its place. */
export interface InputFetch {
  /** The source's parameters, names in lower case. */
  readonly params: ReadonlyMap<string, unknown>
  /** Where it goes; the parent exists, the path itself does not. */
  readonly hostPath: string
  readonly policy: InputPolicy
  readonly copy: TreeCopy
  readonly signal: AbortSignal
  /** Makes an error that names the input. */
  readonly fail: (code: TaskErrorCode, what: string, cause?: unknown) => TaskError
}

/** Puts one kind of input into its place; answers with what it is. */
export type InputFetcher = (fetch: InputFetch) => Promise<'file' | 'directory'>

/** A text parameter that must be there. */
export function requiredText(fetch: InputFetch, name: string): string {
  const value = fetch.params.get(name.toLowerCase())
  if (typeof value === 'string' && value !== '' && !value.includes('\0')) return value
  throw fetch.fail('INPUT_INVALID', `needs the parameter ${name}, a text`)
}
