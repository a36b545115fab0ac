import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { openMemoryJobStore } from '@saltcod/store-memory'
import { describe, expect, test } from 'vitest'
import { randomNumbers } from '../../../test/random-numbers.ts'
import { temporaryDirectory } from '../../../test/temporary-directory.ts'
import {
  type Archive,
  type ArchivedJob,
  type ArchiveEntry,
  applyRetention,
  findInArchive,
  openArchive,
  readArchivedJob,
} from '../src/index.ts'
import { fillWithJobs, TestClock } from './workload.ts'

async function someJobs(number = 12): Promise<ArchivedJob[]> {
  const clock = new TestClock()
  const store = await openMemoryJobStore({ clock: clock.read })
  await fillWithJobs(store, clock, randomNumbers(7), number)
  const { items } = await store.listJobs()
  return await Promise.all(items.map(({ id }) => readArchivedJob(store, id)))
}

async function listOf(archive: Archive): Promise<ArchiveEntry[]> {
  const entries: ArchiveEntry[] = []
  for await (const entry of archive.list()) entries.push(entry)
  return entries
}

const idOf = (job: ArchivedJob | undefined): string => job?.versions[0]?.id ?? ''

describe('an archive', () => {
  test('tells of files that cannot be read with errors of its own', async () => {
    const directory = join(temporaryDirectory(), 'archive')
    const archive = await openArchive(directory)
    rmSync(join(directory, 'manifest.ndjson'))
    await expect(archive.get('any')).rejects.toMatchObject({ code: 'STORE_NOT_FOUND' })
    mkdirSync(join(directory, 'manifest.ndjson'))
    await expect(archive.get('any')).rejects.toMatchObject({ code: 'STORE_FOREIGN' })
    await expect(listOf(archive)).rejects.toMatchObject({ code: 'STORE_FOREIGN' })
  })

  test('gives back what it took, also to another process, and can be read without us', async () => {
    const directory = join(temporaryDirectory(), 'archive')
    const jobs = await someJobs()
    const archive = await openArchive(directory, { segmentBytes: 100 })
    await archive.append(jobs.slice(0, 5))
    await Promise.all([archive.append(jobs.slice(5, 9)), archive.append(jobs.slice(9))])
    await archive.append([])
    const reader = await openArchive(directory, { readOnly: true })
    for (const job of jobs) {
      expect(await archive.get(idOf(job))).toEqual(job)
      expect(await reader.get(idOf(job))).toEqual(job)
    }
    expect(await reader.get('none')).toBeNull()
    expect((await listOf(reader)).map(({ id }) => id)).toEqual(jobs.map(idOf))
    expect(await reader.verify()).toMatchObject({ jobs: jobs.length, problems: [] })
    const segments = readdirSync(directory).filter((name) => name.endsWith('.gz'))
    expect(segments).toHaveLength(3)
    const lines = segments.flatMap((name) =>
      gunzipSync(readFileSync(join(directory, name)))
        .toString()
        .trimEnd()
        .split('\n'),
    )
    expect(new Set(lines.map((line) => (JSON.parse(line) as { jobId: string }).jobId)).size).toBe(jobs.length)
    await expect(reader.append(jobs)).rejects.toMatchObject({ code: 'STORE_READ_ONLY' })
  })

  test('has the newest copy of a job that came twice', async () => {
    const archive = await openArchive(temporaryDirectory())
    const [job] = await someJobs(1)
    if (job === undefined) throw new Error('no job')
    await archive.append([job])
    await archive.append([{ ...job, history: job.history.slice(0, 1) }])
    expect((await archive.get(idOf(job)))?.history).toHaveLength(1)
    expect(await listOf(archive)).toHaveLength(2)
  })

  test('finds jobs by id, short id and name, reads all of them, and tells how much it holds', async () => {
    const directory = temporaryDirectory()
    const archive = await openArchive(directory, { segmentBytes: 100 })
    const [first, second, third] = await someJobs(3)
    if (first === undefined || second === undefined || third === undefined) throw new Error('no jobs')
    const named = (job: ArchivedJob, name: string): ArchivedJob => ({
      ...job,
      versions: job.versions.map((version) => ({ ...version, name, namespace: 'default' })),
    })
    await archive.append([named(first, 'one')])
    await archive.append([named(second, 'two'), named(third, 'two')])
    const again = { ...named(first, 'one'), history: [] }
    await archive.append([again])
    expect((await findInArchive(archive, idOf(first))).id).toBe(idOf(first))
    expect((await findInArchive(archive, 'one')).id).toBe(idOf(first))
    expect((await findInArchive(archive, idOf(second).slice(0, 12))).id).toBe(idOf(second))
    await expect(findInArchive(archive, 'one', 'elsewhere')).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' })
    await expect(findInArchive(archive, 'two')).rejects.toMatchObject({
      code: 'AMBIGUOUS_ID',
      details: { matches: [idOf(second), idOf(third)] },
    })
    const read: ArchivedJob[] = []
    for await (const { entry, job } of archive.read()) {
      read.push(await job())
      expect(idOf(read.at(-1))).toBe(entry.id)
    }
    expect(read).toEqual([named(first, 'one'), named(second, 'two'), named(third, 'two'), again])
    const backwards: ArchivedJob[] = []
    for await (const { job } of archive.read({ reverse: true })) backwards.unshift(await job())
    expect(backwards).toEqual(read)
    const { totals } = await openArchive(directory, { readOnly: true })
    expect(totals).toEqual(archive.totals)
    expect([totals.jobs, totals.segments]).toEqual([4, 3])
  })

  test('says what is wrong with a directory that is none', async () => {
    const directory = temporaryDirectory()
    writeFileSync(join(directory, 'file'), 'x')
    await expect(openArchive(join(directory, 'file'))).rejects.toMatchObject({ code: 'STORE_FOREIGN' })
    await expect(openArchive(directory, { readOnly: true })).rejects.toMatchObject({
      code: 'STORE_NOT_FOUND',
    })
  })

  test('cuts off what a process that died left half written', async () => {
    const directory = temporaryDirectory()
    const jobs = await someJobs()
    await (await openArchive(directory)).append(jobs.slice(0, 6))
    const segment = join(directory, 'segment-000001.ndjson.gz')
    const manifest = join(directory, 'manifest.ndjson')
    const whole = statSync(segment).size
    appendFileSync(segment, 'torn')
    appendFileSync(manifest, '{"segment":"segm')
    const again = await openArchive(directory)
    expect(await again.get(idOf(jobs[2]))).toEqual(jobs[2])
    await again.append(jobs.slice(6))
    expect(await (await openArchive(directory)).verify()).toMatchObject({ jobs: jobs.length, problems: [] })
    expect(gunzipSync(readFileSync(segment)).length).toBeGreaterThan(whole)
    for (const job of jobs) expect(await again.get(idOf(job))).toEqual(job)
  })

  test('writes around a segment that lost its end, and says so', async () => {
    const directory = temporaryDirectory()
    const jobs = await someJobs()
    await (await openArchive(directory)).append(jobs.slice(0, 6))
    truncateSync(join(directory, 'segment-000001.ndjson.gz'), 30)
    const again = await openArchive(directory)
    await again.append(jobs.slice(6))
    await expect(again.get(idOf(jobs[0]))).rejects.toMatchObject({ code: 'RECORD_CORRUPT' })
    expect(await again.get(idOf(jobs[6]))).toEqual(jobs[6])
    expect((await again.verify()).problems).toHaveLength(1)
  })

  test('finds a flipped bit in any file', async () => {
    const directory = temporaryDirectory()
    const jobs = await someJobs()
    const archive = await openArchive(directory)
    for (const job of jobs) await archive.append([job])
    for (const name of ['segment-000001.ndjson.gz', 'manifest.ndjson']) {
      const path = join(directory, name)
      const good = readFileSync(path)
      const bad = Buffer.from(good)
      const place = Math.floor(good.length / 2)
      bad[place] = (bad[place] ?? 0) ^ 1
      writeFileSync(path, bad)
      expect((await archive.verify()).problems, name).toHaveLength(1)
      writeFileSync(path, good)
    }
    expect((await archive.verify()).problems).toEqual([])
  })

  test('refuses a second writer, a foreign directory and a missing one', async () => {
    const directory = temporaryDirectory()
    const [job] = await someJobs(1)
    if (job === undefined) throw new Error('no job')
    const one = await openArchive(directory)
    const two = await openArchive(directory)
    await one.append([job])
    await expect(two.append([job])).rejects.toMatchObject({ code: 'STORE_LOCKED' })
    await expect(openArchive(join(directory, 'none'), { readOnly: true })).rejects.toMatchObject({
      code: 'STORE_NOT_FOUND',
    })
    const foreign = temporaryDirectory()
    writeFileSync(
      join(foreign, 'manifest.ndjson'),
      `${JSON.stringify({ of: 'something else', n: 1, longer: 'than ours' })}\n`,
    )
    await expect(openArchive(foreign)).rejects.toMatchObject({ code: 'STORE_FOREIGN' })
  })

  test('finishes its own torn first line, and leaves a short file of somebody else as it is', async () => {
    const torn = temporaryDirectory()
    const whole = temporaryDirectory()
    await openArchive(whole)
    const header = readFileSync(join(whole, 'manifest.ndjson'))
    for (const length of [0, 1, header.length - 1]) {
      writeFileSync(join(torn, 'manifest.ndjson'), header.subarray(0, length))
      const archive = await openArchive(torn)
      expect(readFileSync(join(torn, 'manifest.ndjson'))).toEqual(header)
      expect(archive.totals.jobs).toBe(0)
    }
    const foreign = temporaryDirectory()
    writeFileSync(join(foreign, 'manifest.ndjson'), 'my own file\n')
    await expect(openArchive(foreign)).rejects.toMatchObject({ code: 'STORE_FOREIGN' })
    expect(readFileSync(join(foreign, 'manifest.ndjson'), 'utf8')).toBe('my own file\n')
  })

  test('has every job that retention removed, as it was, and none is removed where it takes nothing', async () => {
    const clock = new TestClock()
    const store = await openMemoryJobStore({ clock: clock.read })
    await fillWithJobs(store, clock, randomNumbers(3), 60)
    const { items } = await store.listJobs({ limit: 1_000 })
    const before = new Map(
      await Promise.all(items.map(async ({ id }) => [id, await readArchivedJob(store, id)] as const)),
    )
    const rules = [{ maxCount: 1 }]
    const full = {
      append: async () => {
        throw new Error('no room')
      },
    }
    await expect(applyRetention(store, rules, { clock: clock.read, archive: full })).rejects.toThrow(
      'no room',
    )
    expect((await store.listJobs({ limit: 1_000 })).items).toEqual(items)

    const archive = await openArchive(temporaryDirectory())
    const report = await applyRetention(store, rules, { clock: clock.read, archive, batchRecords: 5 })
    const left = new Set((await store.listJobs({ limit: 1_000 })).items.map(({ id }) => id))
    expect(items.length - left.size).toBe(report.removed)
    for (const [id, job] of before) expect(await archive.get(id)).toEqual(left.has(id) ? null : job)
  })
})
