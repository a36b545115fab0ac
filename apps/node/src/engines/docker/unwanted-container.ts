import { readOwnEnd } from '../../compute/keeper/exit-record.ts'
import type { UnwantedRun } from '../engine.ts'
import { findContainer, phaseOf, removeContainer } from './container-state.ts'
import { LogCopy } from './log-copy.ts'
import { hasStatus, type SocketApi } from './socket-api.ts'

/** A start of the node waits for it, with all that is to go on. */
const LAST_LOG_MS = 10_000

/** Ends the container of a run that nobody looks after, takes the rest of its log, and removes it. */
export async function endUnwanted(api: SocketApi, run: UnwantedRun): Promise<void> {
  const there = await findContainer(api, run, run.workDir)
  if (there === undefined) return
  const { container, found } = there
  if (phaseOf(found) !== 'made') {
    if (phaseOf(found) === 'runs') {
      // Where it has just ended by itself, that is as well.
      const ending = { method: 'POST', path: `/containers/${container}/stop`, query: { t: '0' } } as const
      await api.ask(ending).catch(() => undefined)
    }
    // Of one that came to its own end the whole log was taken before that was written down.
    if (readOwnEnd(run.workDir, run) === undefined) await takeLog(api, container, run)
  }
  await removeContainer(api, container)
}

async function takeLog(api: SocketApi, container: string, { workDir, logBytes }: UnwantedRun): Promise<void> {
  const log = await LogCopy.open(workDir, logBytes)
  try {
    await log.copy(api, container, AbortSignal.timeout(LAST_LOG_MS))
  } catch (error) {
    if (!hasStatus(error, 404)) await log.lose()
  } finally {
    await log.close()
  }
}
