import { readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'

import { openLmdbJobStore } from '../../src/index.ts'

const JOB = { type: 'batch', spec: {} } as const

/** The copies that stand where a removed file was. */
function copiesIn(directory: string): string[] {
  return readdirSync(directory).filter((name) => name.startsWith('jobs.db.removed-'))
}

test.for(['never', 'always'] as const)(
  'a store whose file is removed beneath it acknowledges nothing more, and leaves a copy of all that it had (a thread for commits: %s)',
  async (commitThread) => {
    const directory = temporaryDirectory()
    const path = join(directory, 'jobs.db')
    const store = await openLmdbJobStore({ path, commitThread })
    const { job } = await store.submitJob(JOB)
    rmSync(path)
    await expect(store.submitJob(JOB)).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' })
    const failure = await store.failed
    const [copy = ''] = copiesIn(directory)
    expect(failure.message).toContain(
      `its file was removed while it was open; all that it had is in ${path}.removed-`,
    )
    await expect(store.submitJob(JOB)).rejects.toMatchObject({ code: 'STORE_FAILED' })
    await expect(store.getJob(job.id)).rejects.toMatchObject({ code: 'STORE_FAILED' })
    await store.close()

    renameSync(join(directory, copy), path)
    const again = await openLmdbJobStore({ path })
    expect(await again.getJob(job.id)).toMatchObject({ id: job.id })
    expect((await again.check()).findings).toEqual([])
    await again.close()
  },
)

test('it notices without a change, and at the latest when it is closed', { timeout: 30_000 }, async () => {
  const directory = temporaryDirectory()
  const path = join(directory, 'jobs.db')
  const idle = await openLmdbJobStore({ path })
  await idle.submitJob({ ...JOB, evaluation: null })
  rmSync(path)
  expect((await Promise.race([idle.failed, delay(20_000)]))?.code).toBe('STORE_FAILED')
  await idle.close()
  expect(copiesIn(directory)).toHaveLength(1)

  rmSync(join(directory, copiesIn(directory)[0] ?? ''))
  const closed = await openLmdbJobStore({ path })
  const { job } = await closed.submitJob({ ...JOB, evaluation: null })
  rmSync(path)
  await closed.close()
  renameSync(join(directory, copiesIn(directory)[0] ?? ''), path)
  const again = await openLmdbJobStore({ path })
  expect(await again.getJob(job.id)).not.toBe(null)
  await again.close()
})

test('where no copy can be made, it says so', async () => {
  const directory = join(temporaryDirectory(), 'gone')
  const store = await openLmdbJobStore({ path: join(directory, 'jobs.db') })
  rmSync(directory, { recursive: true })
  await expect(store.submitJob(JOB)).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' })
  expect((await store.failed).message).toContain('could not be copied')
  await store.close()
})
