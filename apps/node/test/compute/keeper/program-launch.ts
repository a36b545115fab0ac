import type { ProgramLaunch } from '../../../src/compute/keeper/protocol.ts'

type Own = 'executionId' | 'workDir' | 'isolation' | 'graceMs' | 'maxProcesses'

/**
 * The orders for a shell script in a directory of its own, without a limit of time or memory unless a test gives one.
 */
export function programLaunch(
  script: string,
  own: Pick<ProgramLaunch, Own> & Partial<ProgramLaunch>,
): ProgramLaunch {
  return {
    kind: 'program',
    attempt: 1,
    command: '/bin/sh',
    args: ['-c', script],
    env: { PATH: '/usr/bin:/bin' },
    cwd: own.workDir,
    timeMs: null,
    memoryBytes: null,
    logBytes: 1_000_000,
    outputBytes: 1_000_000,
    cpus: null,
    sharing: null,
    dataBytes: null,
    ...own,
  }
}
