import type { KvStatistics } from '@saltcod/store-core/backend'
import { openLmdbJobStore } from '@saltcod/store-lmdb'
import { describe, expect, test, vi } from 'vitest'
import { keptTerminal } from '../../../test/kept-terminal.ts'
import { temporaryDirectory } from '../../../test/temporary-directory.ts'
import { buckets } from '../src/commands/buckets.ts'
import { du } from '../src/commands/du.ts'
import { info } from '../src/commands/info.ts'
import { stats } from '../src/commands/stats.ts'
import { summary } from '../src/commands/summary.ts'
import { checkStoreFile } from '../src/store/store-check.ts'

const backend = vi.hoisted(() => ({ statistics: undefined as undefined | (() => unknown) }))

// A backend that tells nothing of its sizes, or guesses them.
vi.mock(import('@saltcod/store-lmdb'), async (original) => {
  const actual = await original()
  return {
    ...actual,
    openLmdbKv: async (options) => {
      const kv = await actual.openLmdbKv(options)
      const { statistics: _, ...rest } = kv.capabilities
      const { statistics } = backend as { statistics?: () => KvStatistics }
      Object.defineProperty(kv, 'capabilities', {
        value: { ...rest, ...(statistics === undefined ? {} : { statistics }) },
      })
      return kv
    },
  }
})

const GUESS: KvStatistics = {
  approximate: true,
  tables: [{ table: 'meta', rows: 7_000_000, usedBytes: 70 }],
  usedBytes: 70,
  freeBytes: 7,
  fileBytes: 700,
}

async function jobsFile(jobs = 1): Promise<string> {
  const path = `${temporaryDirectory()}/jobs.db`
  const store = await openLmdbJobStore({ path, nodeId: 'n-1' })
  const ids = Array.from({ length: jobs }, (__, n) => `job-${n}`)
  await Promise.all(ids.map((id) => store.submitJob({ id, name: id, type: 'batch', spec: {} })))
  await store.close()
  return path
}

const asJson = { output: 'json' } as const
const asTable = { output: 'table' } as const

describe.each([
  ['tells no sizes', undefined],
  ['estimates its sizes', () => GUESS],
] as const)('of a backend that %s', (_, statistics) => {
  const sizes = statistics === undefined ? null : GUESS

  test('summary and info show what is known', async () => {
    backend.statistics = statistics
    const path = await jobsFile()
    for (const command of [summary, info]) {
      const json = keptTerminal()
      expect(await command(json, path, asJson)).toBeUndefined()
      expect(JSON.parse(json.stdout)).toMatchObject({
        fileBytes: sizes?.fileBytes ?? null,
        usedBytes: sizes?.usedBytes ?? null,
        freeBytes: sizes?.freeBytes ?? null,
      })
      const text = keptTerminal()
      await command(text, path, asTable)
      expect(text.stdout).not.toMatch(/NaN|undefined|null/)
    }
  })

  test('du shows records, and says what is an estimate', async () => {
    backend.statistics = statistics
    const path = await jobsFile()
    const json = keptTerminal()
    expect(await du(json, path, asJson)).toBe(0)
    expect(JSON.parse(json.stdout)).toMatchObject({
      statistics: sizes,
      rewriteGivesBackBytes: sizes?.freeBytes ?? null,
      counts: expect.arrayContaining([expect.objectContaining({ kind: 'job', records: 1 })]),
    })
    const text = keptTerminal()
    await du(text, path, asTable)
    expect(text.stdout).toMatch(/^job +default +Pending +1 /m)
    expect(text.stdout.includes('rows and bytes are estimates')).toBe(sizes !== null)
    expect(text.stdout).not.toMatch(/NaN|undefined|null/)
  })

  test('stats says so', async () => {
    backend.statistics = statistics
    const path = await jobsFile()
    const text = keptTerminal()
    if (statistics === undefined) {
      await expect(stats(text, path, asTable)).rejects.toMatchObject({
        message: `${path} has no statistics`,
        hint: expect.stringContaining('"buckets" counts'),
      })
    } else {
      await stats(text, path, asTable)
      expect(text.stdout).toMatch(/rows and bytes are estimates of the backend\n$/)
    }
  })

  test('buckets counts the keys itself', async () => {
    backend.statistics = statistics
    const path = await jobsFile()
    const json = keptTerminal()
    await buckets(json, path, asJson)
    const rows: readonly { readonly bucket: string; readonly keys: number }[] = JSON.parse(json.stdout)
    expect(rows).toContainEqual({ bucket: 'jobs', keys: 1 })
    expect(Math.max(...rows.map(({ keys }) => keys))).toBeLessThan(1_000)
  })

  test('check reports how many rows it looked at, and no total that nobody knows', async () => {
    backend.statistics = statistics
    const path = await jobsFile(300)
    const totals: (number | null)[] = []
    const { findings } = await checkStoreFile(path, 10, undefined, (what, done, total) => {
      if (what === 'rows' && done > 0) totals.push(total)
    })
    expect(findings).toEqual([])
    expect(new Set(totals)).toEqual(new Set([null]))
  })
})
