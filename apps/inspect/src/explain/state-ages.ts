import {
  COMPUTE_MACHINE,
  COMPUTE_STATES,
  EXECUTION_MACHINE,
  EXECUTION_STATES,
  JOB_MACHINE,
  JOB_STATES,
  type StateCount,
} from '@saltcod/store-core'
import type { OpenedStore } from '../store/open-store.ts'

/** How many records are in a state, and since when the oldest and the newest of them are. */
export interface StateAge {
  readonly kind: 'job' | 'execution'
  readonly state: string
  readonly records: number
  readonly bytes: number
  readonly ended: boolean
  readonly oldestSinceMs: number | null
  readonly newestSinceMs: number | null
  /** Set where one of its counters is damaged, so that records and bytes are not known. */
  readonly damaged?: true
}

interface Since {
  readonly stateSinceMs: number
}

/** Tells how long records have been in each state, from counters and the ends of index stretches alone. */
export async function stateAges(opened: OpenedStore, counts: readonly StateCount[]): Promise<StateAge[]> {
  const ages: StateAge[] = []
  const add = async (
    kind: 'job' | 'execution',
    state: string,
    ended: boolean,
    one: (reverse: boolean) => Promise<{ readonly items: readonly Since[] }>,
  ): Promise<void> => {
    const rows = counts.filter((count) => count.kind === kind && count.state === state)
    const records = rows.reduce((sum, count) => sum + count.records, 0)
    const damaged = rows.some((count) => count.damaged === true)
    if (records === 0 && !damaged) return
    const [oldest, newest] = [(await one(false)).items[0], (await one(true)).items[0]]
    ages.push({
      kind,
      state,
      records,
      bytes: rows.reduce((sum, count) => sum + count.bytes, 0),
      ended,
      oldestSinceMs: oldest?.stateSinceMs ?? null,
      newestSinceMs: newest?.stateSinceMs ?? null,
      ...(damaged ? { damaged } : {}),
    })
  }
  if (opened.kind === 'jobs') {
    const { store } = opened
    for (const state of JOB_STATES) {
      const ended = JOB_MACHINE.terminal.has(state)
      await add('job', state, ended, (reverse) => store.listJobs({ states: [state], limit: 1, reverse }))
    }
    for (const state of EXECUTION_STATES) {
      const ended = EXECUTION_MACHINE.terminal.has(state)
      await add('execution', state, ended, (reverse) =>
        store.listExecutions({ states: [state], limit: 1, reverse }),
      )
    }
    return ages
  }
  const { store } = opened
  for (const state of COMPUTE_STATES) {
    const ended = COMPUTE_MACHINE.terminal.has(state)
    await add('execution', state, ended, (reverse) =>
      store.listExecutions({ states: [state], limit: 1, reverse }),
    )
  }
  return ages
}
