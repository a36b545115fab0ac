import { type ProcessUse, processUse } from './process-table.ts'

/** What the live processes of a job take at a moment. */
export interface JobUse {
  readonly processes: number
  readonly memoryBytes: number
  /** Grows when one of them has run. */
  readonly turns: number
}

/** Sums up what processes take. */
export function sumOfUses(uses: readonly ProcessUse[]): JobUse {
  let [anonymousBytes, sharedBytes, turns] = [0, 0, 0]
  for (const use of uses) {
    anonymousBytes += use.anonymousBytes
    // Shared pages appear in each process that maps them; the largest share stands for all.
    sharedBytes = Math.max(sharedBytes, use.sharedBytes)
    turns += use.turns
  }
  return { processes: uses.length, memoryBytes: anonymousBytes + sharedBytes, turns }
}

/** Looks at what some processes take. */
export function useOf(pids: readonly number[]): JobUse {
  return sumOfUses(pids.map((pid) => processUse(`/proc/${pid}`)).filter((use) => use !== undefined))
}

/** Tells whether nothing has happened between two looks, as far as they show. */
export function isSame(one: JobUse, other: JobUse): boolean {
  return (
    one.processes === other.processes && one.memoryBytes === other.memoryBytes && one.turns === other.turns
  )
}
