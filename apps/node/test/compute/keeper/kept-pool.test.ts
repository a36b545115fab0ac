import { availableParallelism } from 'node:os'
import { expect, test } from 'vitest'
import { eventually } from '../../../../../test/eventually.ts'
import { type Kept, KeptPool } from '../../../src/compute/keeper/kept-pool.ts'

interface Worker extends Kept {
  gone: boolean
}

/** A pool whose makings end when the test says so. */
function pool() {
  const makings: { form: number; end: (problem?: string) => Worker }[] = []
  const workers = new KeptPool<Worker>(
    (form) =>
      new Promise((resolve, reject) => {
        const end = (problem?: string): Worker => {
          const worker = { form, sharing: undefined, idleSinceMs: 0, gone: false, close: () => undefined }
          makings.splice(
            makings.findIndex((making) => making.end === end),
            1,
          )
          if (problem === undefined) resolve(worker)
          else reject(new Error(problem))
          return worker
        }
        makings.push({ form, end })
      }),
  )
  return { workers, makings }
}

test('no more are made at a time than there are cores, and whoever waits takes what is given back', async () => {
  const { workers, makings } = pool()
  const jobs = Array.from({ length: 20 }, () => workers.take('a'))
  expect(makings).toHaveLength(availableParallelism())
  const made = makings[0]?.end()
  expect(await jobs[0]).toBe(made)
  for (const job of jobs.slice(1, 10)) {
    if (made !== undefined) workers.add(made)
    expect(await job).toBe(made)
  }
  while (makings.length > 0) {
    makings[0]?.end()
    await Promise.resolve().then(() => undefined)
  }
  await Promise.all(jobs)
  expect(new Set(await Promise.all(jobs)).size).toBe(11)
})

test('what is given back is for whoever waits longest for its like', async () => {
  const { workers, makings } = pool()
  const first = workers.take('a')
  makings[0]?.end()
  const worker = await first
  const others = [workers.take('b'), workers.take(null), workers.take('a', 7), workers.take('a')]
  workers.add(worker)
  expect(await others[3]).toBe(worker)
  expect(worker.sharing).toBe('a')
})

test('what cannot be made is tried again, and whoever waits is told in the end', async () => {
  const { workers, makings } = pool()
  const job = workers.take('a')
  const other = workers.take('a', 7)
  const told = expect(job).rejects.toThrow('no third')
  for (const problem of ['no first', 'no second', 'no third']) {
    await eventually('it is tried', () => makings.some(({ form }) => form === 0))
    makings.find(({ form }) => form === 0)?.end(problem)
  }
  await told
  makings.find(({ form }) => form === 7)?.end()
  expect((await other).form).toBe(7)
})

test('one that ended while it waited or as it is given back is not handed out', async () => {
  const { workers, makings } = pool()
  const first = workers.take('a')
  const worker = makings[0]?.end()
  await first
  const next = workers.take('a')
  if (worker !== undefined) {
    worker.gone = true
    workers.add(worker)
  }
  const fresh = makings.at(-1)?.end()
  expect(await next).toBe(fresh)
})
