import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { STORE_TABLES } from '@saltcod/store-core/backend'
import { openLmdbKv } from '@saltcod/store-lmdb'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { damageCases } from '../../../test/damaged-file.ts'
import { IS_LONG, testSeed } from '../../../test/seed.ts'
import { sharedDirectory } from '../../../test/temporary-directory.ts'
import { AnsweringSession } from './answering-session.ts'
import { judgeDamage, judgeReading, type SoundStore, soundStore } from './damage-case.ts'
import { inspect } from './fixture.ts'
import { writeFullExecutionStore, writeFullJobStore } from './full-store.ts'

// Each run of the program is a process of its own, and a busy machine has little time for it.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 })

const SEED = testSeed()
const directory = sharedDirectory()
const session = new AnsweringSession()
const sound: SoundStore[] = []

beforeAll(async () => {
  for (const [kind, write] of [
    ['jobs', writeFullJobStore],
    ['executions', writeFullExecutionStore],
  ] as const) {
    const path = join(directory, kind, 'store.db')
    await write(path)
    sound.push(await soundStore(session, path, kind))
  }
})

afterAll(() => session.close())

for (const { damage, seed } of damageCases(SEED, IS_LONG)) {
  test(`${damage.what} (seed ${seed}) hides from nobody and costs no more than it hit`, async () => {
    // Two of three in the larger store.
    const store = sound[seed % 3 === 0 ? 1 : 0]
    if (store === undefined) throw new Error('there is no sound store')
    const broken = await judgeDamage(store, directory, { damage, seed })
    // What commands read says the same of many files.
    if (seed % (IS_LONG ? 4 : 2) === 0)
      broken.push(...(await judgeReading(store, directory, { damage, seed })))
    // A reporter shows the whole of a message, and little of a list.
    if (broken.length > 0) throw new Error(broken.join('\n'))
  })
}

test('what a store says of itself may be damaged, and its rows are shown all the same', async () => {
  const path = join(directory, 'meta', 'store.db')
  await writeFullJobStore(path)
  const kv = await openLmdbKv({ path, tables: STORE_TABLES })
  await kv.write((rows) => {
    for (const { key, value } of rows.range('meta', { limit: 100 })) {
      const damaged = Buffer.from(value)
      damaged[4] = (damaged[4] ?? 0) ^ 1
      rows.put('meta', key, damaged)
    }
  })
  await kv.close()
  const commands = ['buckets', 'dump', 'stats', 'info', 'jobs', 'summary', 'counts', 'du', 'check']
  const asked = [
    ...commands.map((verb) => [verb, 'store.db', '--output', 'json']),
    ['keys', 'store.db', 'jobs', '--output', 'json'],
    ['get', 'store.db', 'jobs', 'job-2', '--output', 'json'],
  ]
  const answers = await session.ask(path, asked, true)
  if (answers === null) throw new Error('the store ended the process that read it')
  for (const { command, status, stdout, stderr } of answers) {
    const expected = command.includes('check') ? 1 : 0
    expect({ command, status }).toEqual({ command, status: expected })
    expect(stderr).not.toContain('Error')
    expect(JSON.parse(stdout)).not.toEqual([])
  }
})

test('a file that no meta page describes is unreadable, in one clear line', () => {
  writeFileSync(join(directory, 'zeros.db'), Buffer.alloc(65_536))
  writeFileSync(join(directory, 'words.db'), 'not a store\n')
  for (const [name, message] of [
    ['zeros.db', 'zeros'],
    ['words.db', 'is a text file'],
  ] as const) {
    const read = inspect(directory, 'jobs', name)
    expect({ status: read.status, stdout: read.stdout }).toEqual({ status: 3, stdout: '' })
    expect(read.stderr).toContain(message)
    expect(inspect(directory, 'check', name, '--output', 'json').status).toBe(3)
    expect(inspect(directory, 'salvage', name, `of-${name}`).status).toBe(3)
  }
})
