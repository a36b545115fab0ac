import type { JobQuery, JobStore } from '@saltcod/store-core'

/**
 * Counts what is met of all jobs that a filter wants: those that are listed, and those that are passed over as
 * damaged.
 */
export type CountMet = () => Promise<number>

/**
 * Returns how many jobs a listing that met so many lacks by the counters of the store, where damage hides some. 0
 * where counters cannot tell, and where something is written meanwhile.
 */
export async function missingJobs(
  store: Pick<JobStore, 'counts' | 'info'>,
  filter: JobQuery,
  met: number,
  countMet: CountMet,
): Promise<number> {
  const { states: _states, namespace: _namespace, ...others } = filter
  if (Object.keys(others).length > 0 || met >= (await countedJobs(store, filter))) return 0
  const { sequence } = await store.info()
  const missing = (await countedJobs(store, filter)) - (await countMet())
  return (await store.info()).sequence === sequence ? Math.max(0, missing) : 0
}

/** None where a counter is damaged, so that nothing is taken for missing. */
async function countedJobs(
  store: Pick<JobStore, 'counts'>,
  { states, namespace }: JobQuery,
): Promise<number> {
  const counts = await store.counts({ kind: 'job' })
  if (counts.some(({ damaged }) => damaged === true)) return 0
  const wanted = counts.filter(
    (count) =>
      (states === undefined || (states as readonly string[]).includes(count.state)) &&
      (namespace === undefined || namespace === count.namespace),
  )
  return wanted.reduce((sum, { records }) => sum + records, 0)
}
