import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openMemoryJobStore } from '@saltcod/store-memory'
import { describe, expect, test } from 'vitest'
import { randomNumbers } from '../../../test/random-numbers.ts'
import { temporaryDirectory } from '../../../test/temporary-directory.ts'
import { type ArchivedJob, openArchive, readArchivedJob } from '../src/index.ts'
import { fillWithJobs, TestClock } from './workload.ts'

const BLOCK = 512

async function someJobs(number: number): Promise<ArchivedJob[]> {
  const clock = new TestClock()
  const store = await openMemoryJobStore({ clock: clock.read })
  await fillWithJobs(store, clock, randomNumbers(7), number)
  const { items } = await store.listJobs()
  return await Promise.all(items.map(({ id }) => readArchivedJob(store, id)))
}

const idOf = (job: ArchivedJob | undefined): string => job?.versions[0]?.id ?? ''

/** An archive of three lines, and the place where the last one begins. */
async function threeLines(jobs: readonly ArchivedJob[], segmentBytes?: number) {
  const directory = temporaryDirectory()
  const archive = await openArchive(directory, segmentBytes === undefined ? {} : { segmentBytes })
  await archive.append(jobs.slice(0, 4))
  await archive.append(jobs.slice(4, 8))
  const manifest = join(directory, 'manifest.ndjson')
  const begin = statSync(manifest).size
  await archive.append(jobs.slice(8))
  return { directory, manifest, begin, whole: readFileSync(manifest) }
}

async function reopened(directory: string) {
  const notices: string[] = []
  const onNotice = ({ code }: { readonly code: string }): void => void notices.push(code)
  return { archive: await openArchive(directory, { onNotice }), notices }
}

describe('the last line of a manifest', () => {
  test('is cut off with a notice where it lacks its newline, in whatever order its blocks reached the disk', async () => {
    const jobs = await someJobs(12)
    const { directory, manifest, begin, whole } = await threeLines(jobs)
    const blocks = Math.ceil(whole.length / BLOCK) - Math.floor(begin / BLOCK)
    expect(blocks).toBeGreaterThan(2)
    for (let there = 0; there < 2 ** blocks; there += 1) {
      const torn = Buffer.from(whole.subarray(0, -1))
      for (let block = 0; block < blocks; block += 1) {
        const from = (Math.floor(begin / BLOCK) + block) * BLOCK
        if ((there >> block) % 2 === 0)
          torn.fill(0, Math.max(begin, from), Math.min(from + BLOCK, torn.length))
      }
      writeFileSync(manifest, torn)
      expect((await openArchive(directory, { readOnly: true })).totals.jobs).toBe(8)
      const { archive, notices } = await reopened(directory)
      expect(notices).toEqual(['ARCHIVE_TAIL_CUT'])
      expect(readFileSync(manifest)).toEqual(whole.subarray(0, begin))
      expect(await archive.get(idOf(jobs[3]))).toEqual(jobs[3])
      expect(await archive.get(idOf(jobs[8]))).toBeNull()
    }
    const { archive, notices } = await reopened(directory)
    expect(notices).toEqual([])
    await archive.append(jobs.slice(8))
    for (const job of jobs) expect(await archive.get(idOf(job))).toEqual(job)
    expect((await archive.verify()).problems).toEqual([])
  })

  test.for([
    { what: 'in the same segment', segmentBytes: undefined },
    { what: 'in the next segment', segmentBytes: 100 },
  ])('is made again where an earlier release left it torn, from the part $what', async ({ segmentBytes }) => {
    const jobs = await someJobs(12)
    const { directory, manifest, begin, whole } = await threeLines(jobs, segmentBytes)
    const torn = Buffer.from(whole)
    torn.fill(0, begin, Math.ceil((begin + 1) / BLOCK) * BLOCK)
    writeFileSync(manifest, torn)
    const warnings: string[] = []
    const onNotice = ({ code }: { readonly code: string }): void => void warnings.push(code)
    const reader = await openArchive(directory, { readOnly: true, onNotice })
    expect(warnings).toEqual(['ARCHIVE_LINE_TORN'])
    expect(reader.totals.jobs).toBe(8)
    expect((await reader.verify()).problems).toHaveLength(1)
    const { archive, notices } = await reopened(directory)
    expect(notices).toEqual(['ARCHIVE_LINE_REMADE'])
    for (const job of jobs) expect(await archive.get(idOf(job))).toEqual(job)
    const again = await reopened(directory)
    expect(again.notices).toEqual([])
    await again.archive.append(jobs.slice(0, 1))
    expect(await again.archive.verify()).toMatchObject({ jobs: 13, problems: [] })
  })

  test('is cut off where it is torn and its segment ends before it, and an error where the segment is damaged', async () => {
    const jobs = await someJobs(12)
    const { directory, manifest, begin, whole } = await threeLines(jobs)
    const segment = join(directory, 'segment-000001.ndjson.gz')
    const parts = readFileSync(segment)
    const last = JSON.parse(whole.subarray(begin).toString()) as { offset: number }
    const torn = Buffer.from(whole)
    torn.fill(0, begin, Math.ceil((begin + 1) / BLOCK) * BLOCK)
    writeFileSync(manifest, torn)
    const bad = Buffer.from(parts)
    bad[last.offset + 30] = (bad[last.offset + 30] ?? 0) ^ 255
    writeFileSync(segment, bad)
    await expect(openArchive(directory)).rejects.toMatchObject({
      code: 'STORE_DAMAGED',
      message: expect.stringContaining('line 4 of') as string,
    })
    writeFileSync(segment, parts.subarray(0, last.offset))
    const { archive, notices } = await reopened(directory)
    expect([notices, archive.totals.jobs]).toEqual([['ARCHIVE_TAIL_CUT'], 8])
  })

  test('is an error that names it where it was whole and any bit of it is flipped', async () => {
    const jobs = await someJobs(12)
    const { directory, manifest, begin, whole } = await threeLines(jobs)
    const size = whole.length - begin
    for (let place = 0; place < size; place += place > size - 40 ? 1 : 7) {
      const bad = Buffer.from(whole)
      bad[begin + place] = (bad[begin + place] ?? 0) ^ 1
      writeFileSync(manifest, bad)
      await expect(openArchive(directory), `byte ${place} of ${size}`).rejects.toMatchObject({
        code: 'STORE_DAMAGED',
        message: expect.stringContaining('line 4 of') as string,
      })
      expect(readFileSync(manifest)).toEqual(bad)
    }
  })

  test('is read and chained to where an earlier release wrote it, without a checksum of its own', async () => {
    const jobs = await someJobs(12)
    const { directory, manifest, begin, whole } = await threeLines(jobs)
    const last = whole
      .subarray(begin)
      .toString()
      .replace(/,"crc":"[0-9a-f]{8}"/, '')
    writeFileSync(manifest, `${whole.subarray(0, begin).toString()}${last}`)
    const { archive, notices } = await reopened(directory)
    expect(notices).toEqual([])
    await archive.append(jobs.slice(0, 1))
    expect(await (await openArchive(directory)).verify()).toMatchObject({ jobs: 13, problems: [] })
  })

  test('is an error where zeros are in an earlier line', async () => {
    const { directory, manifest, begin, whole } = await threeLines(await someJobs(12))
    const bad = Buffer.from(whole)
    bad.fill(0, begin - 40, begin - 20)
    writeFileSync(manifest, bad)
    await expect(openArchive(directory)).rejects.toMatchObject({
      message: expect.stringContaining('line 3 of') as string,
    })
  })

  test('is written anew where the power failed before the first one was whole', async () => {
    const directory = temporaryDirectory()
    await openArchive(directory)
    const manifest = join(directory, 'manifest.ndjson')
    const header = readFileSync(manifest)
    writeFileSync(manifest, Buffer.alloc(header.length))
    await openArchive(directory)
    expect(readFileSync(manifest)).toEqual(header)
  })
})
