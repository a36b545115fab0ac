import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { jobSchema, type Task } from '@saltcod/bacalhau-records'
import { listProcesses } from '../../src/compute/keeper/process-table.ts'
import type { EngineRun, RunLimits } from '../../src/engines/engine.ts'
import { rootOf } from '../../src/inputs/work.ts'

let runs = 0
const STAND_IN = 'node-that-dies'

/** Bounds that no well-behaved test job meets. */
export const WIDE_LIMITS: RunLimits = {
  timeMs: 60_000,
  memoryBytes: null,
  cpus: null,
  outputBytes: 1e8,
  logBytes: 1e7,
}

/** A whole task of what a test says of it. */
export function wholeTask(task: Pick<Task, 'Engine'> & Partial<Task>): Task {
  const { Tasks } = jobSchema.parse({ Tasks: [{ Name: 'main' }] })
  return { ...(Tasks[0] as Task), ...task }
}

/** A run of a task in a work directory without inputs. */
export async function bareRun(
  workDir: string,
  task: Parameters<typeof wholeTask>[0],
  limits: Partial<RunLimits> = {},
): Promise<EngineRun> {
  runs += 1
  const rootDir = rootOf(workDir)
  await mkdir(rootDir, { recursive: true })
  return {
    executionId: `e-${process.pid}-${runs}`,
    attempt: 1,
    job: { id: 'j-test', namespace: 'default', type: 'batch' },
    task: wholeTask(task),
    work: { workDir, rootDir, inputs: [], results: [], release: () => undefined },
    limits: { ...WIDE_LIMITS, ...limits },
    environment: {},
  }
}

/** The pids of live processes whose command line holds a text, but for a stand-in for a node. */
export function processesWith(text: string): number[] {
  return listProcesses()
    .filter(({ pid }) => {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
        return line.includes(text) && !line.includes(STAND_IN)
      } catch {
        return false
      }
    })
    .map(({ pid }) => pid)
    .filter((pid) => pid !== process.pid)
}

/** The pids of live processes that have something open inside a directory. */
export function processesInside(directory: string): number[] {
  const hasOpen = (pid: number): boolean => {
    try {
      const open = readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`))
      return open.some((path) => path.startsWith(directory))
    } catch {
      return false
    }
  }
  return listProcesses()
    .map(({ pid }) => pid)
    .filter(hasOpen)
}
