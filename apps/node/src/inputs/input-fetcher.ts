import type { TreeCopy } from '../compute/files/copy-tree.ts'
import type { TaskError, TaskErrorCode } from '../compute/task-error.ts'
import type { InputPolicy } from './input-policy.ts'

/** One input on its way to its place. */
export interface InputFetch<Params = unknown> {
  readonly params: Params
  /** Where it goes; the parent exists, the path itself does not. */
  readonly hostPath: string
  readonly policy: InputPolicy
  readonly copy: TreeCopy
  readonly signal: AbortSignal
  /** Makes an error that names the input. */
  readonly fail: (code: TaskErrorCode, what: string, cause?: unknown) => TaskError
}

/** Puts one kind of input into its place. */
export interface InputFetcher<Params> {
  /** Answers with what it is that it has put there. */
  fetch(fetch: InputFetch<Params>): Promise<'file' | 'directory'>
  /** Says why a node that has this policy does not allow it; `null` where it may. Absent where all are allowed. */
  denial?(params: Params, policy: InputPolicy): Promise<string | null>
  /** Reads what lies at a path, and tells whether it is what was to be there; absent where nobody can tell. */
  holds?(path: string, params: Params): Promise<boolean>
}
