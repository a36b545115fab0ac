import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import type { Task } from '@saltcod/bacalhau-records'
import type { ComputeExecution } from '@saltcod/store-core'
import type { Logger } from 'pino'
import { engineKind, inputsOf } from '../engines/kinds.ts'
import { stageWork } from '../inputs/stage.ts'
import { type ExecutionWork, rootOf } from '../inputs/work.ts'
import { hasResults } from '../publishers/kinds.ts'
import { publishedDirectory } from '../publishers/local/publish-results.ts'
import type { ComputeContext } from './context.ts'
import { namesIn } from './files/directories.ts'
import { removeTree } from './files/remove-tree.ts'
import { isPassing } from './keeper/work-files.ts'
import { isSafeName, workDirOf } from './layout.ts'

/** Makes the directory of the next attempt; what an earlier one left is removed, results included. */
export async function stageRun(
  { dataDir, settings, keptInputs }: ComputeContext,
  { id: executionId, attempt }: ComputeExecution,
  task: Task,
  signal: AbortSignal,
): Promise<ExecutionWork> {
  // An attempt that was interrupted before its results were committed must not pass them off as the next one's.
  if (attempt > 0) await removeTree(publishedDirectory(settings.resultsDir, executionId))
  const kind = engineKind(task.Engine.Type)
  return await stageWork({
    workDir: workDirOf(dataDir, executionId),
    inputs: inputsOf(task),
    results: task.ResultPaths,
    policy: settings.inputPolicy,
    kept: keptInputs,
    shares: kind?.writesInputs === false,
    needsDirectory: kind?.needsDirectory !== false || hasResults(task),
    signal,
  })
}

/**
 * Removes the inputs and outputs of a run and what its keeper had there for a moment, and keeps its logs. Called
 * before an end is committed, so that a crash in between leaves nothing that nobody would remove. What cannot be
 * removed stays, with a warning.
 */
export async function clearWork(
  { dataDir, log }: Pick<ComputeContext, 'dataDir' | 'log'>,
  executionId: string,
): Promise<void> {
  // An id that cannot name a directory has never been run here.
  if (!isSafeName(executionId)) return
  const workDir = workDirOf(dataDir, executionId)
  for (const name of await namesLeftIn(workDir)) {
    const path = join(workDir, name)
    if (path === rootOf(workDir) || isPassing(name)) await removeOrWarn(log, path)
  }
}

/** The names in a directory; none where a job has put something else in its place, or there is nothing. */
async function namesLeftIn(path: string): Promise<readonly string[]> {
  try {
    // One that is not there is the ordinary case, and not worth a turn of the event loop.
    const status = lstatSync(path, { throwIfNoEntry: false })
    return status?.isDirectory() === true ? await namesIn(path) : []
  } catch {
    return []
  }
}

/**
 * Removes all that the runs of an execution left: logs and results too. What cannot be removed stays, with a warning.
 */
export async function removeRunFiles(
  { dataDir, settings, log }: ComputeContext,
  executionId: string,
): Promise<void> {
  if (!isSafeName(executionId)) return
  await removeOrWarn(log, workDirOf(dataDir, executionId))
  await removeOrWarn(log, publishedDirectory(settings.resultsDir, executionId))
}

async function removeOrWarn(log: Logger, path: string): Promise<void> {
  try {
    await removeTree(path)
  } catch (error) {
    log.warn({ err: error, path }, 'files of an execution could not be removed')
  }
}
