import { type ChildProcess, spawn } from 'node:child_process'
import type { OutcomeReason, RunningProcess } from '../engine/engine.ts'
import { AnswerWatch, HelperLost, PATIENCE, type Patience } from './answer-watch.ts'
import { childProgram } from './child-program.ts'
import { type ExitRecord, writeExitRecord } from './exit-record.ts'
import { killLeftover } from './leftover.ts'
import { markerOf, SUPERVISOR_VARIABLE } from './marker.ts'
import { bootId, readProcess } from './process-table.ts'
import { HERE_LINE, type Launch, READY_LINE, type ToSupervisor } from './protocol.ts'
import { stopWatch } from './stop-watch.ts'

const ERROR_TEXT_LENGTH = 2_000

/** A supervisor that is up and waits; the job's own code has not begun. */
export interface SupervisedRun {
  readonly process: RunningProcess
  /** Starts the job; resolves with its exit record when every process of it is dead. */
  go(): Promise<ExitRecord>
  /** Ends the supervisor before `go`; resolves when it is gone. */
  abandon(): Promise<void>
}

function identify(pid: number): RunningProcess {
  const entry = readProcess(pid)
  if (entry === undefined) throw new Error(`The supervisor with pid ${pid} is gone; is /proc mounted?`)
  return { pid, startTime: entry.startTime, pgid: entry.pgid, bootId: bootId() }
}

/** What a supervisor says, line by line. */
class Reports {
  readonly ready: Promise<void>
  #lines: string[] = []
  #rest = ''
  #errors = ''

  constructor(child: ChildProcess) {
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#errors = (this.#errors + text).slice(-ERROR_TEXT_LENGTH)
    })
    this.ready = new Promise<void>((resolve, reject) => {
      child.stdout?.setEncoding('utf8').on('data', (text: string) => {
        const pieces = (this.#rest + text).split('\n')
        this.#rest = pieces.pop() ?? ''
        this.#lines.push(...pieces.filter((line) => line !== HERE_LINE))
        if (this.#lines.includes(READY_LINE)) resolve()
      })
      child.once('error', (error) => reject(new Error(`No supervisor could be started: ${error.message}`)))
      child.once('close', () =>
        reject(new Error(`The supervisor ended before it was ready: ${this.#errors.trim()}`)),
      )
    })
  }

  /** The record of the run's end; undefined when the supervisor said nothing. */
  record(): ExitRecord | undefined {
    const line = this.#lines.find((text) => text !== READY_LINE)
    return line === undefined ? undefined : (JSON.parse(line) as ExitRecord)
  }
}

interface Ending {
  readonly reason: OutcomeReason
  readonly errorMessage: string
}

/** Ends what a killed supervisor left of its job. */
async function endLost(launch: Launch, identity: RunningProcess, watch: AnswerWatch): Promise<ExitRecord> {
  const { executionId, attempt, workDir } = launch
  const what = watch.lost ? watch.silence : 'its supervisor was killed'
  const { reason, errorMessage } = await killLeftover({ process: identity, executionId, workDir }).then(
    (): Ending => ({
      reason: watch.lost ? 'unanswered' : 'killed',
      errorMessage: `${what}, so the job was ended`,
    }),
    (error: unknown): Ending => ({
      reason: 'killed',
      errorMessage: error instanceof Error ? error.message : String(error),
    }),
  )
  return {
    executionId,
    attempt,
    reason,
    exitCode: null,
    signal: null,
    errorMessage,
    stdoutCapped: false,
    stderrCapped: false,
    startedAtMs: null,
    endedAtMs: Date.now(),
  }
}

/**
 * Starts the supervisor of one run and hands it its orders. The supervisor holds a pipe to this process and
 * ends the job when that closes. An aborted signal cancels the run. A supervisor that does not answer is killed. Rejects when no
 * process can be started, and with a `HelperLost` where it does not answer before it is ready.
 */
export async function prepareSupervised(
  launch: Launch,
  signal: AbortSignal,
  patience: Patience = PATIENCE,
): Promise<SupervisedRun> {
  const { executionId, attempt, workDir } = launch
  const child = spawn(process.execPath, [childProgram(import.meta.url, 'supervisor-main'), executionId], {
    cwd: '/',
    detached: true,
    // Nothing of the node's own environment, which may hold secrets and NODE_OPTIONS.
    env: { PATH: process.env['PATH'] ?? '', [SUPERVISOR_VARIABLE]: markerOf(executionId, attempt, workDir) },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  // A supervisor that died shows as its exit, not as a broken pipe.
  child.stdin.on('error', () => undefined)
  stopWatch.watch(child)
  const send = (message: ToSupervisor): void => void child.stdin.write(`${JSON.stringify(message)}\n`)
  const watch = new AnswerWatch(child, () => send({ kind: 'ask' }), patience)
  const reports = new Reports(child)
  send({ kind: 'launch', launch })
  await Promise.race([reports.ready, watch.ended]).catch(() => undefined)
  if (watch.lost) throw new HelperLost(`${watch.silence}, so the job was not begun`)
  await reports.ready
  const identity = identify(child.pid ?? 0)

  const go = async (): Promise<ExitRecord> => {
    const cancel = (): void => send({ kind: 'cancel' })
    signal.addEventListener('abort', cancel, { once: true })
    // A cancel ahead of `go` ends the run before anything is started.
    if (signal.aborted) cancel()
    send({ kind: 'go' })
    await watch.ended
    signal.removeEventListener('abort', cancel)
    const record = reports.record()
    if (record !== undefined) return record
    const lost = await endLost(launch, identity, watch)
    // Whatever it hangs on may be what this process would write to; without a record the run counts as interrupted, as it was.
    if (watch.lost) return lost
    try {
      writeExitRecord(workDir, lost)
    } catch {
      // A full disk: the caller is told all the same.
    }
    return lost
  }
  const abandon = async (): Promise<void> => {
    child.stdin.end()
    await watch.ended
  }
  return { process: identity, go, abandon }
}
