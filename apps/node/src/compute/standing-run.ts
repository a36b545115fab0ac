import { resultFolder, type Task } from '@saltcod/bacalhau-records'
import { decideRecovery } from '@saltcod/recovery'
import type { ComputeExecution } from '@saltcod/store-core'
import type { PreparedRun } from '../engines/engine.ts'
import { mountPath } from '../inputs/mount-path.ts'
import { type ExecutionWork, rootOf } from '../inputs/work.ts'
import type { ActiveRun } from './active-run.ts'
import { changeExecution } from './change.ts'
import type { ComputeContext } from './context.ts'
import { taskOf } from './job-task.ts'
import { workDirOf } from './layout.ts'
import { resolveTask } from './node-variables.ts'
import { concludePrepared, endEarly, engineRunOf, prepareOptions, runExecution } from './run.ts'
import { clearWork } from './run-files.ts'

const TOPIC = 'Recovery'

/**
 * Goes on with a run that did not end with an earlier process of the node: the same attempt, wherever it stands. Where
 * it is gone, the policy of recovery decides, as about a run that had ended with its node.
 */
export async function reattachRun(
  context: ComputeContext,
  execution: ComputeExecution,
  run: ActiveRun,
): Promise<void> {
  const written = taskOf(execution.job)
  const engine = written === null ? undefined : context.settings.engines.get(written.Engine.Type)
  if (written === null || engine?.standing === undefined) return await decideAnew(context, execution, run)
  const resolved = resolveTask(written, context.settings.variables)
  if (typeof resolved === 'string') return await endEarly(context, execution, run, resolved, TOPIC, 'denied')
  const { task, hide } = resolved
  const work = workOf(context, execution, task)
  const engineRun = engineRunOf(context, execution, execution.attempt, { task, engine, work })
  let prepared: PreparedRun | null
  try {
    prepared = await engine.standing.reattach(
      engineRun,
      prepareOptions(run, () => undefined),
    )
  } catch (error) {
    if (run.why === undefined) throw error
    return await stopUnseen(context, execution, run)
  }
  if (prepared === null) return await decideAnew(context, execution, run)
  const noted = await changeExecution(context, execution, ({ state }) =>
    state === 'Running'
      ? { message: 'Its run was found again', topic: TOPIC, details: { action: 'reattach' } }
      : null,
  )
  const outcome = await prepared.go()
  await concludePrepared(context, noted ?? execution, run, { outcome, prepared, task: written, hide })
}

/** Its directory is the one of the process that began it. */
function workOf({ dataDir }: ComputeContext, { id }: ComputeExecution, task: Task): ExecutionWork {
  const workDir = workDirOf(dataDir, id)
  const rootDir = rootOf(workDir)
  const results = task.ResultPaths.map(({ Name, Path }) => {
    const path = mountPath(Path)
    return { name: resultFolder(Name), path, hostPath: `${rootDir}${path}` }
  })
  return { workDir, rootDir, inputs: [], results, release: () => undefined }
}

/** Ends one that is wanted no more, of which nobody could find out anything; its engine removes it when it can. */
async function stopUnseen(
  context: ComputeContext,
  execution: ComputeExecution,
  run: ActiveRun,
): Promise<void> {
  const { why } = run
  if (why === undefined || why === 'interrupted') return
  await clearWork(context, execution.id)
  await changeExecution(context, execution, ({ finishedAtMs }) => (finishedAtMs === null ? why : null))
}

async function decideAnew(
  context: ComputeContext,
  execution: ComputeExecution,
  run: ActiveRun,
): Promise<void> {
  if (run.why !== undefined) return await stopUnseen(context, execution, run)
  const { settings, clock } = context
  const { action, reason } = decideRecovery(execution, settings.recovery, clock())
  if (action === 'rerun') return await runExecution(context, execution, run)
  // What the policy leaves to a deadline would wait for nothing: the run is gone.
  await clearWork(context, execution.id)
  await changeExecution(context, execution, ({ state }) =>
    state === 'Running'
      ? {
          to: 'Failed',
          endReason: 'interrupted',
          message: `Its run was gone after a restart of the node: ${reason}`,
          topic: TOPIC,
          details: { action: 'fail', reason },
        }
      : null,
  )
}
