import type { Task } from '../spec/job-spec.ts'
import type { ComputeContext } from './context.ts'
import type { Engine } from './engine/engine.ts'
import { removeTree } from './files/remove-tree.ts'
import { stageWork } from './inputs/stage.ts'
import { type ExecutionWork, rootOf } from './inputs/work.ts'
import { isSafeName, workDirOf } from './layout.ts'
import { publishedDirectory } from './results/publish.ts'

/** Makes the directory of a new attempt; what an earlier one left is removed, results included. */
export async function stageRun(
  { dataDir, settings }: ComputeContext,
  executionId: string,
  task: Task,
  engine: Engine,
  signal: AbortSignal,
): Promise<ExecutionWork> {
  // An attempt that was interrupted before its results were committed must not pass them off as the next one's.
  await removeTree(publishedDirectory(settings.resultsDir, executionId))
  return await stageWork({
    workDir: workDirOf(dataDir, executionId),
    inputs: engine.inputs(task),
    results: task.ResultPaths,
    policy: settings.inputPolicy,
    signal,
  })
}

/**
 * Removes the inputs and outputs of a run and keeps its logs. Called before an end is committed, so that a
 * crash in between leaves nothing that nobody would remove.
 */
export async function clearWork({ dataDir }: ComputeContext, executionId: string): Promise<void> {
  // An id that cannot name a directory has never been run here.
  if (isSafeName(executionId)) await removeTree(rootOf(workDirOf(dataDir, executionId)))
}

/** Removes all that the runs of an execution left: logs and results too. */
export async function removeRunFiles(
  { dataDir, settings }: ComputeContext,
  executionId: string,
): Promise<void> {
  if (!isSafeName(executionId)) return
  await removeTree(workDirOf(dataDir, executionId))
  await removeTree(publishedDirectory(settings.resultsDir, executionId))
}
