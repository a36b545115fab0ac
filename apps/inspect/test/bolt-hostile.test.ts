import { truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { boltBytes, boltPage, metaPage } from '../../../test/bolt-writer.ts'
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

test('a transaction beyond what a number of JSON holds keeps its digits', async () => {
  const transaction = 2n ** 64n - 1n
  const path = join(temporaryDirectory(), 'made.db')
  writeFileSync(path, boltBytes({ a: { rows: {} } }, { transaction }))
  for (const command of ['info', 'check']) {
    const { code, stdout } = await session.run([command, path, '--output', 'json'])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ transaction: String(transaction) })
  }
})

/** A bucket in itself, and one whose only value is as long as no memory should be. */
function circleAndLongValue(): string {
  const path = join(temporaryDirectory(), 'made.db')
  const bytes = 2 ** 31 - 100
  const empty = Buffer.alloc(0)
  const leaf = boltPage(
    3,
    [{ key: Buffer.from('long'), value: empty, isBucket: false, page: 0 }],
    'leaf',
    4096,
  )
  const overflow = Math.ceil(bytes / 4096)
  leaf.writeUInt32LE(overflow, 12)
  leaf.writeUInt32LE(bytes, 28)
  const bucket = (name: string, root: number) => {
    const value = Buffer.alloc(16)
    value.writeBigUInt64LE(BigInt(root))
    return { key: Buffer.from(name), value, isBucket: true, page: 0 }
  }
  const meta = { root: 2, freeList: 2n ** 64n - 1n, pageCount: 5 + overflow, transaction: 2n }
  const last = 4 + overflow
  const top = boltPage(2, [bucket('circle', 2), bucket('long', 3), bucket('short', last)], 'leaf', 4096)
  writeFileSync(path, Buffer.concat([metaPage(0, 4096, meta), metaPage(1, 4096, meta), top, leaf]))
  truncateSync(path, last * 4096)
  const short = { key: Buffer.from('key'), value: Buffer.from('value'), isBucket: false, page: 0 }
  writeFileSync(path, boltPage(last, [short], 'leaf', 4096), { flag: 'a' })
  return path
}

test('keys are listed whatever their values are, and one bucket without a way keeps no other from being dumped', async () => {
  const path = circleAndLongValue()
  expect(await session.run(['keys', path, 'long'])).toEqual({ code: 0, stdout: 'long\n', stderr: '' })
  const dumped = await session.run(['dump', path, '--all', '--output', 'ndjson'])
  expect(dumped).toMatchObject({ code: 1, stdout: '{"bucket":"short","key":"key","value":"value"}\n' })
  expect(dumped.stderr).toContain('nested without end')
  expect(dumped.stderr).toContain('2 parts of the file could not be read')
})
