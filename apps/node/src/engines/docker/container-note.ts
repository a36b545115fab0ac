import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readNote } from '../../compute/keeper/work-files.ts'
import type { RunIdentity } from '../engine.ts'
import { containerName } from './container-name.ts'
import { objectOf } from './said.ts'

/** What is on record of the container of a run from the moment in which it is started. */
export interface ContainerNote {
  /** By which it is found where an operator has given it another name. */
  readonly id: string
  /** When, by {@link bootMs}: a clock that is set makes no limit of time early or late. */
  readonly startedMs: number
  /** Of its program, once that was seen here. */
  readonly pid?: number
}

/** Milliseconds since the machine was started, the same for each process of a boot; none pass while it sleeps. */
export function bootMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n)
}

function noteFile(workDir: string): string {
  return join(workDir, 'container.json')
}

/** Notes it, as far as the disk has room. It need not outlive the boot, after which nothing of it runs. */
export function noteContainer(workDir: string, run: RunIdentity, note: ContainerNote): void {
  try {
    const noted = { name: containerName(run), ...note }
    writeFileSync(noteFile(workDir), JSON.stringify(noted), { mode: 0o600 })
  } catch {
    // Its name and the time that its server tells do as well, but for who renames it, or sets the clock.
  }
}

/** What is noted of the container of a run; undefined where nothing is, or that of an earlier attempt. */
export function notedContainer(workDir: string, run: RunIdentity): ContainerNote | undefined {
  try {
    const { name, id, startedMs, pid } = objectOf(JSON.parse(readNote(noteFile(workDir))))
    return name === containerName(run) &&
      typeof id === 'string' &&
      isContainerId(id) &&
      typeof startedMs === 'number'
      ? { id, startedMs, ...(typeof pid === 'number' ? { pid } : {}) }
      : undefined
  } catch {
    return undefined
  }
}

/** What else a server may call an id is part of no address. */
export function isContainerId(id: string): boolean {
  return /^[\da-f]{64}$/.test(id)
}
