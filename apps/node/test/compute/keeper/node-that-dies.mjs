// Stands for a node: prepares one run, says so, starts it, and lives on until it is killed.
// Runs what was compiled, in a process of its own. Arguments: work directory, execution id, shell script.
import { mkdirSync } from 'node:fs'
import { Keeper } from '../../../compiled/compute/keeper/keeper.js'

const [workDir, executionId, script] = process.argv.slice(2)
mkdirSync(workDir, { recursive: true })
const run = new Keeper().prepare(
  {
    kind: 'program',
    executionId,
    attempt: 1,
    workDir,
    command: '/bin/sh',
    args: ['-c', script],
    env: { PATH: '/usr/bin:/bin' },
    cwd: workDir,
    timeMs: null,
    graceMs: 1_000,
    memoryBytes: null,
    logBytes: 1_000_000,
    outputBytes: 1_000_000_000,
    isolation: process.env.ISOLATION,
    cpus: null,
    sharing: null,
    dataBytes: null,
    maxProcesses: 10_000,
  },
  new AbortController().signal,
)
process.stdout.write(`${JSON.stringify(run.process)}\n`)
process.stdin.once('data', () => void run.go())
