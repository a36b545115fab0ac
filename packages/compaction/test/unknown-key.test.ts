import type { JobStore } from '@saltcod/store-core'
import { openMemoryExecutionStore, openMemoryJobStore, openMemoryKv } from '@saltcod/store-memory'
import { expect, onTestFinished, test } from 'vitest'
import { temporaryDirectory } from '../../../test/temporary-directory.ts'

import {
  applyExecutionRetention,
  applyRetention,
  compact,
  foldFinished,
  openArchive,
  readArchivedJob,
  rewrite,
} from '../src/index.ts'

/** An interface has no index signature; the compiler must take it for a specification all the same. */
interface Picture {
  readonly file: string
  readonly frame?: Picture
}

async function open(): Promise<JobStore<Picture>> {
  const store = await openMemoryJobStore<Picture>()
  onTestFinished(() => store.close())
  return store
}

test('options and rules that there are not are refused with the nearest one, and nothing goes', async () => {
  const jobs = await open()
  const executions = await openMemoryExecutionStore()
  onTestFinished(() => executions.close())
  const { job } = await jobs.submitJob({ type: 'batch', spec: { file: 'cat.png' }, evaluation: null })
  await jobs.transitionJob({ jobId: job.id, to: 'Completed' })
  const all = [{ maxCount: 0 }]
  const kv = openMemoryKv({ tables: ['one'] })
  for (const [outcome, message] of [
    [applyRetention(jobs, all, { dryrun: true } as never), 'dryrun; did you mean dryRun?'],
    [
      applyRetention(jobs, all, { feed: { maxByte: 5 } } as never),
      'feed.maxByte; did you mean feed.maxBytes?',
    ],
    [applyRetention(jobs, [{ maxCount: 0, maxage: 5 } as never]), 'maxage; did you mean maxAgeMs?'],
    [applyExecutionRetention(executions, [], { isWantd: 1 } as never), 'isWantd; did you mean isWanted?'],
    [foldFinished(jobs, { olderThan: 5 } as never), 'olderThan; did you mean olderThanMs?'],
    [rewrite(jobs, { signals: [] } as never), 'signals; did you mean signal?'],
    [compact(kv, kv, { table: [] } as never), 'table; did you mean tables?'],
    [openArchive(temporaryDirectory(), { readonly: true } as never), 'readonly; did you mean readOnly?'],
  ] as const) {
    await expect(outcome).rejects.toThrow(`unknown key ${message}`)
    await expect(outcome).rejects.toBeInstanceOf(TypeError)
  }
  const archive = await openArchive(temporaryDirectory())
  await expect(archive.read({ revers: true } as never).next()).rejects.toThrow('did you mean reverse?')
  expect(await jobs.getJob(job.id)).not.toBeNull()
})

test('a store whose specification is an interface is kept, folded and archived as any other', async () => {
  const jobs = await open()
  const { job } = await jobs.submitJob({ type: 'batch', spec: { file: 'cat.png' }, evaluation: null })
  await jobs.transitionJob({ jobId: job.id, to: 'Completed' })
  expect((await foldFinished(jobs, { olderThanMs: 0 })).folded).toBe(1)
  const archive = await openArchive(temporaryDirectory())
  await archive.append([await readArchivedJob(jobs, job.id)])
  const report = await applyRetention(jobs, [{ maxCount: 0 }], { archive })
  expect(report.removed).toBe(1)
  expect((await archive.get(job.id))?.versions[0]?.spec).toEqual({ file: 'cat.png' })
})
