import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'
import { type Crash, crashEnvironment, isOpeningMessage } from './crash.ts'
import { isWorkMessage, removeUnfinished } from './unfinished-work.ts'

/** How a worker ended. */
export interface WorkerEnd {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** Set where a store that was being looked at ended the process. */
  readonly crash?: Crash
}

/** Signals by which a process ends that broke inside LMDB. */
const CRASH_SIGNALS: ReadonlySet<string> = new Set([
  'SIGSEGV',
  'SIGBUS',
  'SIGABRT',
  'SIGFPE',
  'SIGILL',
  'SIGTRAP',
])
const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * Runs the command line in a process of its own, because a damaged store ends the process that opens it, and
 * resolves with how that ended. Input and output are those of this process.
 */
export async function runWorker(args: readonly string[], crash?: Crash): Promise<WorkerEnd> {
  const program = fileURLToPath(new URL('worker-main.js', import.meta.url))
  const child = spawn(process.execPath, [...process.execArgv, program, ...args], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: crash === undefined ? process.env : { ...process.env, ...crashEnvironment(crash) },
  })
  let path = ''
  let work: string | null = null
  child.on('message', (message) => {
    if (isOpeningMessage(message)) path = message.opening
    if (isWorkMessage(message)) work = message.work
  })
  const forward = (signal: NodeJS.Signals): void => void child.kill(signal)
  for (const signal of FORWARDED) process.on(signal, forward)
  try {
    return await new Promise<WorkerEnd>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code, signal) => {
        if (work !== null && removeUnfinished(work)) process.stderr.write('Interrupted; nothing was kept\n')
        const crashed = crash === undefined && signal !== null && CRASH_SIGNALS.has(signal)
        resolve({ code, signal, ...(crashed ? { crash: { signal, path } } : {}) })
      })
    })
  } finally {
    for (const signal of FORWARDED) process.off(signal, forward)
  }
}

/** Ends this process as the worker ended. */
export function exitAs({ code, signal }: WorkerEnd): void {
  process.exitCode = signal === null ? (code ?? 0) : 128 + constants.signals[signal]
}
