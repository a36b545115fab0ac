import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { boltBytes } from '../../../test/bolt-writer.ts'
import { ProgramSession } from '../../../test/program-session.ts'
import { temporaryDirectory } from '../../../test/temporary-directory.ts'

let session: ProgramSession
beforeAll(() => {
  session = new ProgramSession(new URL('../dist/cli/run.js', import.meta.url))
})
afterAll(async () => await session.close())

const DEEP = `${'['.repeat(100_000)}"secret"${']'.repeat(100_000)}`

function written(rows: Parameters<typeof boltBytes>[0]): string {
  const path = join(temporaryDirectory(), 'made.db')
  writeFileSync(path, boltBytes(rows))
  return path
}

test('JSON that is nested too deep to be looked through for secrets is shown only where they may be', async () => {
  const path = written({ a: { rows: { deep: DEEP } } })
  for (const args of [
    ['get', path, 'a', 'deep'],
    ['dump', path, 'a', '--output', 'json'],
  ]) {
    const hidden = await session.run(args)
    expect(hidden.code).toBe(0)
    expect(hidden.stdout).toContain(`<redacted len:${DEEP.length} `)
    expect(hidden.stderr).toContain('--show-secrets prints them')
    const shown = await session.run([...args, '--show-secrets'])
    expect({ code: shown.code, isWhole: shown.stdout.includes('[[[') }).toEqual({ code: 0, isWhole: true })
  }
  expect(await session.run(['get', path, 'a', 'deep', '--format', 'bytes'])).toMatchObject({ code: 2 })
})

test('a sequence beyond what a number of JSON holds keeps its digits', async () => {
  const path = written({ a: { rows: {}, sequence: 2n ** 64n - 1n }, b: { rows: {}, sequence: 7n } })
  const { stdout } = await session.run(['buckets', path, '--output', 'json'])
  expect(JSON.parse(stdout)).toEqual([
    { bucket: 'a', sequence: '18446744073709551615' },
    { bucket: 'b', sequence: 7 },
  ])
})
