// Runs a job that says its nice value, as a node would, and says it. Argument: where the job is to work.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Keeper } from '../../compiled/compute/keeper/keeper.js'

const [workDir] = process.argv.slice(2)
const keeper = new Keeper()
const run = keeper.prepare(
  {
    kind: 'program',
    executionId: `e-nice-${process.pid}`,
    attempt: 1,
    workDir,
    command: '/bin/sh',
    args: ['-c', 'nice'],
    env: { PATH: '/usr/bin:/bin' },
    cwd: workDir,
    timeMs: null,
    graceMs: 1_000,
    memoryBytes: null,
    logBytes: 1_000,
    outputBytes: 1_000_000,
    isolation: 'pid-namespace',
    cpus: null,
    sharing: null,
    dataBytes: null,
    maxProcesses: 100,
  },
  new AbortController().signal,
)
await run.go()
process.stdout.write(readFileSync(join(workDir, 'stdout'), 'utf8'))
await keeper.close()
