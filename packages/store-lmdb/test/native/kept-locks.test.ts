import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { readReaders } from '../../src/file/lock-file.ts'
import { isLockFileUsed } from '../../src/file/reader-table.ts'
import { StoreProcess } from '../store-process.ts'

const environment = { COMMIT_THREAD: 'always' }

/** Starts a process that opens a store, and returns it with its process id when it has. */
async function started(
  command: 'own' | 'write' | 'read',
  path: string,
  of = {},
): Promise<[StoreProcess, number]> {
  const process = new StoreProcess(command, path, of)
  return [process, Number((await process.line('open')).split(' ')[1])]
}

function readersOf(path: string): number[] {
  return readReaders(path)?.readers.map(({ processId }) => processId) ?? []
}

test('who opens the store while a thread makes the commits of its owner leaves the places of both in the lock file', async () => {
  const path = join(temporaryDirectory(), 'jobs.db')
  const [writer, owner] = await started('write', path, { environment })
  await writer.count(50)
  expect(isLockFileUsed(`${path}-lock`)).toBe(true)
  expect(readersOf(path)).toContain(owner)
  for (let opening = 0; opening < 2; opening += 1) {
    const [reader, reading] = await started('read', path)
    await reader.line('seen')
    expect(readersOf(path)).toEqual(expect.arrayContaining([owner, reading]))
    expect(reader.lines.filter((line) => /^(torn|backwards|error)/.test(line))).toEqual([])
    if (opening === 0) await reader.kill()
  }
  const written = writer.lines.length
  await writer.count(written + 50)
  expect(writer.lines.filter((line) => /^(failed|OUTCOME|STORE)/.test(line))).toEqual([])
})

test('nothing of an owner whose thread made commits is left in the lock file where it died, though a reader lives', async () => {
  const path = join(temporaryDirectory(), 'jobs.db')
  const [writer, owner] = await started('write', path, { environment })
  await writer.count(50)
  const [reader] = await started('read', path)
  await reader.line('seen')
  expect(readersOf(path)).toContain(owner)
  await writer.kill()
  const [next] = await started('own', path, { environment })
  expect(readersOf(path)).not.toContain(owner)
  await next.kill()
  await reader.kill()
  expect(isLockFileUsed(`${path}-lock`)).toBe(false)
})
