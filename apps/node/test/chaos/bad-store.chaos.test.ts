import { copyFileSync, mkdtempSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ProgramSession } from '../../../../test/program-session.ts'
import { sharedDirectory, temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { COMMANDS } from '../cli/binary.ts'
import { AttackedNode } from './attacked-node.ts'
import { BAD_STORES } from './bad-stores.ts'
import { noopJob } from './chaos-jobs.ts'
import { pictureOf } from './directory-picture.ts'
import { storePaths } from './stores-of.ts'

const FLAGS = { jobs: '--requester-job-store-path', executions: '--compute-execution-store-path' } as const
const directory = sharedDirectory()
let good: ReturnType<typeof storePaths>

let session: ProgramSession
beforeAll(() => {
  session = new ProgramSession(COMMANDS)
})
afterAll(() => session.close())

test('the stores that are spoiled here are made by a node', async () => {
  const node = new AttackedNode(join(directory, 'repo'))
  await node.start()
  const ids = await Promise.all(
    Array.from({ length: 30 }, (_, number) => node.submit(noopJob('batch', `job-${number}`, 0))),
  )
  for (const id of ids) await node.until(id, 'Completed')
  expect(await node.signal('SIGTERM')).toEqual({ code: 0, signal: null })
  good = storePaths(node.repository)
})

describe.each(['jobs', 'executions'] as const)('%s.db', (kind) => {
  test.concurrent.each(BAD_STORES.map((bad) => [bad.name, bad] as const))('%s is refused', async (_, bad) => {
    const scene = temporaryDirectoryOf(`${kind}-`)
    const path = join(scene, `${kind}.db`)
    bad.make(path, good[kind])
    const before = pictureOf(scene)
    const ran = await session.run(['serve', '--repo', join(scene, 'repo'), '--port', '0', FLAGS[kind], path])
    expect({ code: ran.code, stdout: ran.stdout }, ran.stderr).toEqual({ code: 2, stdout: '' })
    const said = ran.stderr.split('\n').filter((line) => line !== '' && !line.startsWith('{'))
    expect(said.filter((line) => line.startsWith('Error: ')).length, ran.stderr).toBe(1)
    expect(
      said.filter((line) => !/^(Error|Hint): /.test(line)),
      ran.stderr,
    ).toEqual([])
    expect(said[0]).toMatch(bad.says)
    expect(said[0]).toContain(path)
    expect(pictureOf(scene)).toEqual(before)
  })
})

let scenes = 0
function temporaryDirectoryOf(prefix: string): string {
  scenes += 1
  return mkdtempSync(join(directory, `${prefix}${scenes}-`))
}

test('a store that was refused and is put right again serves as before', async () => {
  const repository = join(temporaryDirectory(), 'repo')
  const node = new AttackedNode(repository)
  await node.start()
  const id = await node.submit(noopJob('batch', 'kept', 0))
  await node.until(id, 'Completed')
  await node.kill()
  const { jobs } = storePaths(repository)
  copyFileSync(jobs, `${jobs}.kept`)
  truncateSync(jobs, 4_096)
  node.spawn()
  expect(await node.ended).toEqual({ code: 2, signal: null })
  copyFileSync(`${jobs}.kept`, jobs)
  await node.start()
  await node.until(id, 'Completed')
})
