import { createHash } from 'node:crypto'
import { realpathSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

/** The name of the environment variable that marks every process of a job. */
export const MARKER_VARIABLE = 'SALTCOD_EXECUTION'

/** The name of the environment variable that marks a keeper: the place of the runs that it looks after. */
export const KEEPER_VARIABLE = 'SALTCOD_KEEPER'

/** The name of the environment variable that marks a process in which guests run: its keeper. */
export const RUNNER_VARIABLE = 'SALTCOD_RUNNER'

/** The variable that marked what looked after a single run, in releases before there was a keeper. */
export const SUPERVISOR_VARIABLE = 'SALTCOD_SUPERVISOR'

const PLACE_LENGTH = 16

/**
 * Returns the marker of a run: the execution, the attempt, and where it works. The place tells apart what two
 * nodes on one machine run under one id, as after a copy of a node's directory was started.
 */
export function markerOf(executionId: string, attempt: number, workDir: string): string {
  return `${executionId}:${attempt}:${placeOf(workDir)}`
}

/** Returns the marker of the processes in which guests of a keeper run. */
export function runnerMarkerOf(
  keeper: { readonly pid: number; readonly startTime: string },
  place: string,
): string {
  return `${keeper.pid}:${keeper.startTime}:${place}`
}

/** Returns a test of whether a marker is that of any attempt of an execution in a directory. */
export function marksExecution(executionId: string, workDir: string): (marker: string) => boolean {
  const place = placeOf(workDir)
  return (marker) => marker.startsWith(`${executionId}:`) && marker.endsWith(`:${place}`)
}

/** Returns the directory of the node that a run's directory belongs to. */
export function dataDirOf(workDir: string): string {
  return dirname(dirname(workDir))
}

/** Returns the marker of the keeper of a node. */
export function keeperMarkerOf(dataDir: string): string {
  return placeOf(dataDir)
}

function placeOf(workDir: string): string {
  return createHash('sha256').update(realPath(workDir)).digest('hex').slice(0, PLACE_LENGTH)
}

function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return resolve(path)
  }
}
