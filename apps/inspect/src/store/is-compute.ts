import type { ComputeExecution, Execution } from '@saltcod/store-core'

/** Tells which of the two stores an execution is from. */
export function isCompute(execution: Execution | ComputeExecution): execution is ComputeExecution {
  return 'job' in execution
}
