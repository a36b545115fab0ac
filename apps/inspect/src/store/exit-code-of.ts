import type { ComputeExecution, Execution } from '@saltcod/store-core'

/** Returns the code that the program of an execution ended with; `null` where it has not ended by itself. */
export function exitCodeOf({ runOutput }: Pick<Execution | ComputeExecution, 'runOutput'>): number | null {
  if (typeof runOutput !== 'object' || runOutput === null || Array.isArray(runOutput)) return null
  // Records of Bacalhau write it with a capital, and -1 where there is none.
  const { exitCode, ExitCode } = runOutput as { readonly exitCode?: unknown; readonly ExitCode?: unknown }
  const code = exitCode ?? ExitCode
  return typeof code === 'number' && code >= 0 ? code : null
}

/** Writes it for a cell of a table. */
export function exitCodeText(execution: Pick<Execution | ComputeExecution, 'runOutput'>): string {
  return String(exitCodeOf(execution) ?? '')
}
