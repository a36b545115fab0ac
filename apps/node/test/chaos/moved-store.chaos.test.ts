import { mkdirSync, renameSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../cli/binary.ts'
import { AttackedNode } from './attacked-node.ts'
import { noopJob } from './chaos-jobs.ts'

test('a node whose store path was changed does not begin empty without a word', async () => {
  const directory = temporaryDirectory()
  const repository = join(directory, 'repo')
  const at = (path: string, ...more: readonly string[]): AttackedNode =>
    new AttackedNode(repository, ['--requester-job-store-path', path, ...more])
  const first = join(directory, 'first/jobs.db')
  const second = join(directory, 'second/jobs.db')
  const third = join(directory, 'third/jobs.db')

  const before = at(first)
  await before.start()
  const id = await before.submit(noopJob('batch', '', 0))
  await before.until(id, 'Completed')
  expect(await before.signal('SIGTERM')).toEqual({ code: 0, signal: null })

  const moved = at(second)
  moved.spawn()
  expect(await moved.ended).toEqual({ code: 2, signal: null })
  expect(moved.log).toContain(`no job store is at ${second}, but one of an earlier start is at ${first}`)
  expect(moved.log).toMatch(/mv .*--requester-job-store-path.*--fresh/)

  mkdirSync(dirname(second))
  renameSync(first, second)
  await moved.start()
  expect((await moved.job(id)).Job.State.StateType).toBe('Completed')
  expect(await moved.signal('SIGTERM')).toEqual({ code: 0, signal: null })

  const fresh = at(third, '--fresh')
  await fresh.start()
  expect(await (await fresh.request('GET', 'orchestrator/jobs')).json()).toMatchObject({ Items: [] })
  expect(fresh.log).toContain(`one of an earlier start is at ${second}`)
  expect(await fresh.signal('SIGTERM')).toEqual({ code: 0, signal: null })

  const back = at(second)
  await back.start()
  expect((await back.job(id)).Job.State.StateType).toBe('Completed')
  expect(await back.signal('SIGTERM')).toEqual({ code: 0, signal: null })
})
