import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ProgramSession, type SessionRun } from '../../../../test/program-session.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { COMMANDS } from '../cli/binary.ts'
import { AttackedNode } from './attacked-node.ts'
import { noopJob } from './chaos-jobs.ts'
import { pictureOf } from './directory-picture.ts'
import { storePaths } from './stores-of.ts'

const INSPECT = fileURLToPath(new URL('../../../inspect/dist/main.js', import.meta.url))

let session: ProgramSession
beforeAll(() => {
  session = new ProgramSession(COMMANDS)
})
afterAll(() => session.close())

/** Has a node started that refuses, in the one process that all of those share. */
async function refusedStart(repository: string, ...flags: readonly string[]): Promise<SessionRun> {
  const ran = await session.run(['serve', '--repo', repository, '--port', '0', ...flags])
  expect(ran.code, ran.stderr).toBe(2)
  return ran
}

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
  const { stderr } = await refusedStart(repository, '--requester-job-store-path', second)
  expect(stderr).toContain(`no job store is at ${second}, but one of an earlier start is at ${first}`)
  expect(stderr).toMatch(/mv .*--requester-job-store-path.*--fresh/)

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

  // The execution store has worked with the fresh one since.
  const back = at(second, '--accept-stores')
  await back.start()
  expect((await back.job(id)).Job.State.StateType).toBe('Completed')
  expect(await back.signal('SIGTERM')).toEqual({ code: 0, signal: null })
}, 180_000)

test('a store that is gone does not begin empty without a word', async () => {
  const directory = temporaryDirectory()
  const repository = join(directory, 'repo')
  const volume = join(directory, 'volume')
  const jobs = join(volume, 'jobs.db')
  const archive = { Node: { Requester: { Archive: { Directory: join(directory, 'archive') } } } }
  const at = (...flags: readonly string[]): AttackedNode =>
    new AttackedNode(repository, ['--requester-job-store-path', jobs, ...flags], archive)
  const refused = async (...says: readonly RegExp[]): Promise<void> => {
    const before = pictureOf(directory)
    const { stderr } = await refusedStart(repository, '--requester-job-store-path', jobs)
    expect(pictureOf(directory)).toEqual(before)
    const lines = stderr.split('\n').filter((line) => line.startsWith('Error: '))
    expect(lines.length, stderr).toBe(says.length)
    for (const [number, said] of says.entries()) expect(lines[number]).toMatch(said)
  }
  const first = at()
  await first.start()
  const id = await first.submit(noopJob('batch', '', 0))
  await first.until(id, 'Completed')
  // Killed: what is remembered does not wait for an orderly end.
  await first.kill()

  renameSync(volume, `${volume}.away`)
  const gone =
    /the job store at .*jobs\.db is gone: store [0-9a-f-]{36}, last seen at .*mount its volume.*--fresh/
  await refused(gone)
  renameSync(`${volume}.away`, volume)
  const back = at()
  await back.start()
  expect((await back.job(id)).Job.State.StateType).toBe('Completed')
  expect(await back.signal('SIGTERM')).toEqual({ code: 0, signal: null })

  const { executions } = storePaths(repository)
  renameSync(executions, `${executions}.away`)
  await refused(/the execution store at .*executions\.db is gone/)
  rmSync(jobs)
  renameSync(join(directory, 'archive'), join(directory, 'archive.away'))
  await refused(gone, /the execution store at .*executions\.db is gone/, /the archive in .*archive is gone/)

  const fresh = at('--fresh')
  await fresh.start()
  expect(await (await fresh.request('GET', 'orchestrator/jobs')).json()).toMatchObject({ Items: [] })
  expect(fresh.log).toMatch(/the job store at .*jobs\.db is gone/)
  expect(fresh.log).not.toMatch(/had the id/)
  const next = await fresh.submit(noopJob('batch', '', 0))
  await fresh.until(next, 'Completed')
  expect(await fresh.signal('SIGTERM')).toEqual({ code: 0, signal: null })

  const before = pictureOf(directory)
  const again = await refusedStart(repository, '--requester-job-store-path', jobs, '--fresh')
  expect(again.stderr).toMatch(/--fresh begins stores where there are none, and this node has its own/)
  expect(pictureOf(directory)).toEqual(before)
  const usual = at()
  await usual.start()
  expect(usual.log).not.toMatch(/is gone|had the id/)
  expect((await usual.job(next)).Job.State.StateType).toBe('Completed')
  expect(await usual.signal('SIGTERM')).toEqual({ code: 0, signal: null })
}, 180_000)

test('a store that was swapped for another one, or for an older copy of itself, is refused until it is put there by a restore', async () => {
  const directory = temporaryDirectory()
  const repository = join(directory, 'repo')
  const node = (at = repository): AttackedNode => new AttackedNode(at)
  const life = async (at = repository): Promise<string> => {
    const alive = node(at)
    await alive.start()
    const id = await alive.submit(noopJob('batch', '', 0))
    await alive.until(id, 'Completed')
    expect(await alive.signal('SIGTERM')).toEqual({ code: 0, signal: null })
    return id
  }
  const refused = async (said: RegExp): Promise<void> => {
    const before = pictureOf(directory)
    expect((await refusedStart(repository)).stderr).toMatch(said)
    expect(pictureOf(directory)).toEqual(before)
  }
  const old = await life()
  const { jobs, executions } = storePaths(repository)
  const kept = join(directory, 'kept')
  const other = join(directory, 'other')
  mkdirSync(other)
  cpSync(join(repository, 'node-id'), join(other, 'node-id'))
  await life(other)
  cpSync(repository, kept, { recursive: true })
  const lost = await life()
  for (const [path, word] of [
    [jobs, 'job'],
    [executions, 'execution'],
  ] as const) {
    renameSync(path, `${path}.aside`)
    cpSync(path.replace(repository, kept), path)
    await refused(new RegExp(`the ${word} store at .* is an older copy of itself: it lacks what the one`))
    // Without what the store itself noted beside it, too.
    rmSync(`${path}.owner`, { recursive: true, force: true })
    await refused(/is an older copy of itself/)
    cpSync(path.replace(repository, other), path)
    await refused(
      new RegExp(`the ${word} store at .* is another store: its id is .*, and the one that was there`),
    )
    rmSync(path)
    renameSync(`${path}.aside`, path)
  }
  const killed = node()
  await killed.start()
  await killed.submit(noopJob('batch', '', 0))
  await killed.kill()
  // What is remembered lags behind the store now.
  await life()
  // Where nothing beside the stores remembers, each of them does.
  for (const [path, said] of [
    [jobs, /the job store of n-\S+ is an older copy, or a fork, of the one that was worked with at/],
    [executions, /the execution store of n-\S+ is an older copy, or a fork, of the one/],
  ] as const) {
    renameSync(path, `${path}.aside`)
    cpSync(path.replace(repository, kept), path)
    rmSync(join(repository, 'store-paths.json'))
    // What the repository notes of a start that was refused takes nothing for right.
    for (let start = 0; start < (path === jobs ? 2 : 1); start++) {
      const one = node()
      one.spawn()
      expect(await one.ended).toEqual({ code: 2, signal: null })
      expect(one.log).toMatch(said)
      expect(one.log).toMatch(/put the right store back, .*saltcod-inspect restore.* --accept-stores/)
    }
    renameSync(`${path}.aside`, path)
  }
  rmSync(join(repository, 'store-paths.json'))
  const accepting = new AttackedNode(repository, ['--accept-stores'])
  renameSync(jobs, `${jobs}.aside`)
  cpSync(jobs.replace(repository, kept), jobs)
  await accepting.start()
  expect((await accepting.request('GET', `orchestrator/jobs/${lost}`)).status).toBe(404)
  expect(await accepting.signal('SIGTERM')).toEqual({ code: 0, signal: null })
  await life()
  rmSync(jobs)
  execFileSync(process.execPath, [INSPECT, 'restore', jobs.replace(repository, kept), jobs])
  const restored = node()
  await restored.start()
  expect((await restored.job(old)).Job.State.StateType).toBe('Completed')
  expect((await restored.request('GET', `orchestrator/jobs/${lost}`)).status).toBe(404)
  expect(await restored.signal('SIGTERM')).toEqual({ code: 0, signal: null })
}, 180_000)
