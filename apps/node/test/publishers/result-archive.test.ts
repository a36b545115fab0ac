import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { extract } from 'tar-stream'
import { test } from 'vitest'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { type ArchivePlan, planArchive, readArchive } from '../../src/publishers/local/result-archive.ts'

const signal = new AbortController().signal

function results(): string {
  const directory = join(temporaryDirectory(), 'results')
  mkdirSync(directory)
  return directory
}

async function read(plan: ArchivePlan, from = 0, to = plan.bytes): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of readArchive(plan, { from, to, signal })) pieces.push(piece)
  return Buffer.concat(pieces)
}

interface Unpacked {
  readonly contents: string
  readonly mode: number | undefined
}

async function unpack(archive: Buffer): Promise<Map<string, Unpacked>> {
  const entries = new Map<string, Unpacked>()
  const stream = extract()
  stream.end(gunzipSync(archive))
  for await (const entry of stream) {
    const pieces: Buffer[] = []
    for await (const piece of entry) pieces.push(piece as Buffer)
    const { name, mode } = entry.header
    entries.set(name, { contents: Buffer.concat(pieces).toString('latin1'), mode })
  }
  return entries
}

test('an archive holds every file and directory, whatever its name and length', async () => {
  const directory = results()
  const long = join('a'.repeat(90), 'b'.repeat(90), 'grün 😀')
  mkdirSync(join(directory, long), { recursive: true })
  writeFileSync(join(directory, long, 'ü'), 'umlaut')
  for (const bytes of [0, 1, 511, 512, 513, 200_000]) {
    writeFileSync(join(directory, `f${bytes}`), 'x'.repeat(bytes))
  }
  chmodSync(join(directory, 'f1'), 0o755)
  // The length of a record of an extended header counts its own digits.
  for (let bytes = 85; bytes < 110; bytes += 1)
    writeFileSync(join(directory, `é${'n'.repeat(bytes)}`), String(bytes))
  symlinkSync('/etc/passwd', join(directory, 'link'))
  const plan = await planArchive(directory)
  const archive = await read(plan)
  assert.equal(archive.length, plan.bytes)
  const entries = await unpack(archive)
  assert.equal(entries.get(`${long}/ü`)?.contents, Buffer.from('umlaut').toString('latin1'))
  assert.deepEqual(
    [0, 1, 511, 512, 513, 200_000].map((bytes) => entries.get(`f${bytes}`)?.contents.length),
    [0, 1, 511, 512, 513, 200_000],
  )
  for (let bytes = 85; bytes < 110; bytes += 1) {
    assert.equal(entries.get(`é${'n'.repeat(bytes)}`)?.contents, String(bytes))
  }
  assert.deepEqual([entries.get('f0')?.mode, entries.get('f1')?.mode], [0o644, 0o755])
  assert.ok(!entries.has('link'))
})

test('any part of an archive is that part of the whole, and the whole is always the same', async () => {
  const directory = results()
  mkdirSync(join(directory, 'data'))
  // More than one member.
  writeFileSync(join(directory, 'data/large'), Buffer.alloc(5_000_000, 'abcdefg'))
  writeFileSync(join(directory, 'data/small'), 'small')
  writeFileSync(join(directory, 'stdout'), 'out')
  const plan = await planArchive(directory)
  const whole = await read(plan)
  assert.deepEqual(await read(await planArchive(directory)), whole)
  const place = fc.oneof(
    fc.integer({ min: 0, max: plan.bytes }),
    fc.integer({ min: 0, max: 40 }),
    fc.integer({ min: 0, max: 40 }).map((before) => plan.bytes - before),
    fc
      .integer({ min: 0, max: 4 })
      .chain((block) => fc.integer({ min: -8, max: 8 }).map((by) => Math.max(0, 10 + block * 65_540 + by))),
    fc.integer({ min: -40, max: 40 }).map((by) => 18 + 64 * 65_540 + by),
  )
  await fc.assert(
    fc.asyncProperty(place, place, async (a, b) => {
      const [from, to] = [Math.min(a, b), Math.max(a, b)]
      assert.ok((await read(plan, from, to)).equals(whole.subarray(from, to)), `${from} to ${to}`)
    }),
    { numRuns: 60 },
  )
})

test('a part is read without what lies before it', async () => {
  const directory = results()
  writeFileSync(join(directory, 'a'), Buffer.alloc(5_000_000, 'abcdefg'))
  writeFileSync(join(directory, 'b'), Buffer.alloc(5_000_000, 'abcdefg'))
  const plan = await planArchive(directory)
  const whole = await read(plan)
  // Who reads of it finds that it is not any more as it was.
  truncateSync(join(directory, 'a'), 10)
  const from = plan.bytes - 10
  assert.deepEqual(await read(plan, from), whole.subarray(from))
  await assert.rejects(read(plan, 0, 1_000), /has changed/)
})

test('results that changed meanwhile break a download off', async () => {
  const directory = results()
  writeFileSync(join(directory, 'stdout'), 'a'.repeat(1000))
  const plan = await planArchive(directory)
  truncateSync(join(directory, 'stdout'), 10)
  await assert.rejects(read(plan), /has changed/)
  assert.notEqual((await planArchive(directory)).tag, plan.tag)
})
