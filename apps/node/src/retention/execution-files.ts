import { removeTree } from '../compute/files/remove-tree.ts'
import { isSafeName, workDirOf } from '../compute/layout.ts'
import { publishedDirectory } from '../publishers/local/publish-results.ts'

/** Removes what an execution left on disk: its work directory with its logs, and its published results. */
export async function removeExecutionFiles(
  directories: { readonly dataDir: string; readonly resultsDir: string },
  executionId: string,
): Promise<void> {
  // An id that can name no directory never got one.
  if (!isSafeName(executionId)) return
  await removeTree(publishedDirectory(directories.resultsDir, executionId))
  await removeTree(workDirOf(directories.dataDir, executionId))
}
