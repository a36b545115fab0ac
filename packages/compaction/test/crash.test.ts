import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { JobStore } from '@saltcod/store-core'
import { openLmdbJobStore } from '@saltcod/store-lmdb'
import { expect, test } from 'vitest'
import { randomNumbers } from '../../../test/random-numbers.ts'
import { testSeed } from '../../../test/seed.ts'
import { temporaryDirectory } from '../../../test/temporary-directory.ts'
import { type ArchivedJob, applyRetention, openArchive, readArchivedJob } from '../src/index.ts'
import { fillWithJobs, TestClock } from './workload.ts'

const SCRIPT = fileURLToPath(new URL('./retention-process.mjs', import.meta.url))
const JOBS = 120
/** Set it to a larger number for a longer hunt. */
const KILLS = Number(process.env['SALTCOD_KILLS'] ?? 4)

/** Runs the process, kills it some time after it began to work, and tells whether it was done before. */
async function runAndKill(path: string, archive: string, afterMs: number): Promise<boolean> {
  const child = spawn(process.execPath, [SCRIPT, path, archive], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise<void>((resolve) => {
    child.on('close', () => resolve())
  })
  let said = ''
  await new Promise<void>((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text
      resolve()
    })
    void ended.then(resolve)
  })
  await Promise.race([ended, delay(afterMs)])
  child.kill('SIGKILL')
  await ended
  return said.includes('done')
}

async function readJobs(store: JobStore): Promise<Map<string, ArchivedJob>> {
  const { items } = await store.listJobs({ limit: 1_000 })
  return new Map(
    await Promise.all(items.map(async ({ id }) => [id, await readArchivedJob(store, id)] as const)),
  )
}

test(
  'whenever it is killed, every job is in the store or in the archive, as it was',
  async () => {
    const seed = testSeed()
    const random = randomNumbers(seed)
    let kills = 0
    let interrupted = 0
    while (kills < KILLS) {
      const directory = temporaryDirectory()
      const path = join(directory, 'jobs.lmdb')
      const archivePath = join(directory, 'archive')
      const clock = new TestClock()
      const first = await openLmdbJobStore({ path, clock: clock.read })
      await fillWithJobs(first, clock, random, JOBS)
      const before = await readJobs(first)
      await first.close()
      for (let done = false; !done && kills < KILLS; kills += 1) {
        done = await runAndKill(path, archivePath, random() * 60)
        if (!done) interrupted += 1
        const said = `seed ${seed}, kill ${kills}`
        const store = await openLmdbJobStore({ path })
        const archive = await openArchive(archivePath)
        const there = await readJobs(store)
        for (const [id, job] of before) {
          expect(there.get(id) ?? (await archive.get(id)), `${said}, job ${id}`).toEqual(job)
        }
        expect((await archive.verify()).problems, said).toEqual([])
        expect((await store.check()).findings, said).toEqual([])
        await store.close()
      }
      const store = await openLmdbJobStore({ path })
      const archive = await openArchive(archivePath)
      await applyRetention(store, [{ maxCount: 5 }], { archive, clockConfirmed: true })
      for (const namespace of ['default', 'science', 'web']) {
        for (const state of ['Completed', 'Failed', 'Stopped'] as const) {
          const { items } = await store.listFinishedJobs({ namespace, state })
          const sizes = await Promise.all(items.slice(0, -5).map(({ id }) => store.measureJob(id)))
          const free = items.filter(({ hold }, n) => hold === null && sizes[n]?.unfinishedExecutions === 0)
          expect(free, `seed ${seed}`).toEqual([])
        }
      }
      expect(await store.reclaim(), `seed ${seed}`).toEqual({ removedRows: 0, finished: [], more: false })
      expect((await store.check()).findings, `seed ${seed}`).toEqual([])
      await store.close()
    }
    expect(interrupted, `seed ${seed}`).toBeGreaterThan(0)
  },
  60_000 + KILLS * 5_000,
)
