import { openLmdbJobStore, openLmdbKv } from '@saltcod/store-lmdb'
import { expect, test } from 'vitest'
import { keptTerminal } from '../../../test/kept-terminal.ts'
import { temporaryDirectory } from '../../../test/temporary-directory.ts'
import { changes } from '../src/commands/changes.ts'

const JOBS = ['job-1', 'job-2', 'job-3', 'job-4']

/** A store with a change for each of four jobs, and the sequence numbers of these. */
async function fourChanges() {
  const path = `${temporaryDirectory()}/jobs.db`
  const store = await openLmdbJobStore({ path })
  const first = await store.latestCursor()
  for (const id of JOBS) await store.submitJob({ id, type: 'batch', spec: {}, evaluation: null })
  const { changeSets } = await store.changes()
  await store.close()
  return { path, first, sequences: changeSets.map(({ sequence }) => sequence) }
}

/** Changes a byte of the entries of the feed at some places. */
async function damage(path: string, ...places: readonly number[]): Promise<void> {
  const kv = await openLmdbKv({ path, tables: ['feed'] })
  await kv.write((rows) => {
    for (const [place, { key, value }] of rows.range('feed', { limit: 10 }).entries()) {
      if (!places.includes(place)) continue
      const bytes = Uint8Array.from(value)
      bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
      rows.put('feed', key, bytes)
    }
  })
  await kv.close()
}

async function listed(path: string, options: object = {}) {
  const terminal = keptTerminal()
  await changes(terminal, path, { output: 'ndjson', limit: 50, ...options } as Parameters<typeof changes>[2])
  const ids = terminal.stdout
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { readonly id: string }).id)
  return { ids, said: terminal.stderr }
}

test('damaged changes are called damaged, and no others', async () => {
  const { path, sequences } = await fourChanges()
  const [one = 0, two = 0, , four = 0] = sequences
  await damage(path, 1)
  const single = await listed(path)
  expect(single.ids).toEqual(['job-1', 'job-3', 'job-4'])
  expect(single.said).toBe(
    `gap: 1 change is damaged between ${one} and ${sequences[2]} ("check" names them); it goes on at ${sequences[2]}\n`,
  )
  await damage(path, 2)
  expect((await listed(path)).said).toBe(
    `gap: 2 changes are damaged between ${one} and ${four} ("check" names them); it goes on at ${four}\n`,
  )
  const back = await listed(path, { reverse: true })
  expect(back.ids).toEqual(['job-4', 'job-1'])
  expect(back.said).toBe(
    `gap: 2 changes are damaged between ${one} and ${four} ("check" names them); it goes on at ${one}\n`,
  )
  expect(two).toBeGreaterThan(one)
})

test('changes that were trimmed are called trimmed', async () => {
  const { path, first } = await fourChanges()
  const store = await openLmdbJobStore({ path })
  await store.trimFeed({ maxBytes: 0, limit: 2 })
  await store.close()
  const { ids, said } = await listed(path, { cursor: first })
  expect(ids).toEqual(['job-3', 'job-4'])
  expect(said).toMatch(/^gap: changes behind \d+ were trimmed; it goes on at \d+\n$/)
})
