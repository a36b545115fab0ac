import { basename, join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryDirectory } from './temporary-directory.ts'

const built = (path: string): string => JSON.stringify(new URL(`../packages/${path}`, import.meta.url).href)

/** A backend as `bench --backend` takes it, which tells nothing of its sizes. */
const SILENT_BACKEND = `
import { openExecutionStore as open, STORE_TABLES } from ${built('store-core/dist/backend.js')}
import { openMemoryKv } from ${built('store-memory/dist/index.js')}

export async function openExecutionStore() {
  const kv = await openMemoryKv({ tables: STORE_TABLES })
  Object.defineProperty(kv, 'capabilities', { value: { durable: false } })
  return open(kv, { clock: Date.now })
}
`

/** The measurements are plain JavaScript. */
async function imported(path: string): Promise<Record<string, unknown>> {
  return (await import(new URL(`../bench/${path}`, import.meta.url).href)) as Record<string, unknown>
}

test('a row of bytes of a backend that tells no sizes has no number, and is neither met nor missed', async () => {
  const directory = temporaryDirectory({ 'backend.mjs': SILENT_BACKEND })
  const { bytesRows } = await imported('rows/bytes.mjs')
  const { measureRow } = await imported('rounds.mjs')
  const { formatResults } = await imported('table.mjs')
  const row = (bytesRows as readonly { readonly name: string }[]).find(
    ({ name }) => name === 'bytes-execution',
  )
  const peer = async () => ({ measure: async () => 100, close: async () => undefined })
  const measured = await (measureRow as (row: object, bench: object) => Promise<object>)(
    { ...row, peer },
    { rounds: 1, sides: ['peer', 'ours'], directory, backend: join(directory, 'backend.mjs') },
  )
  expect(measured).toMatchObject({ ours: null, peer: 100, ratio: null, ratios: null, holds: null })
  expect((formatResults as (results: readonly object[]) => string)([measured])).not.toMatch(/NaN|SHORT/)
})

test('SQLite is a side of a row that counts what is done, in a directory of its own, and of no other', async () => {
  const { measureRow } = await imported('rounds.mjs')
  const { formatResults } = await imported('table.mjs')
  const rates = { peer: 50, sqlite: 100, 'sqlite-group': 400, ours: 200 }
  const opened: object[] = []
  const side = async ({ directory, program }: { directory: string; program?: string[] }) => {
    opened.push({ side: basename(directory), program })
    const rate = rates[basename(directory) as keyof typeof rates]
    return { measure: async () => rate, close: async () => undefined }
  }
  const measure = async (unit: string): Promise<object> =>
    await (measureRow as (row: object, bench: object) => Promise<object>)(
      { name: 'row', work: 'work', unit, required: { atLeast: 3 }, durable: 'all', peer: side, ours: side },
      {
        rounds: 2,
        sides: Object.keys(rates),
        programs: { peer: ['a'], sqlite: ['b'], 'sqlite-group': ['c'] },
        directory: temporaryDirectory(),
      },
    )
  const measured = await measure('/s')
  expect(opened).toEqual([
    { side: 'peer', program: ['a'] },
    { side: 'sqlite', program: ['b'] },
    { side: 'sqlite-group', program: ['c'] },
    { side: 'ours', program: undefined },
  ])
  const others = [
    { side: 'sqlite', value: 100, ratio: 2 },
    { side: 'sqlite-group', value: 400, ratio: 0.5 },
  ]
  expect(measured).toMatchObject({ peer: 50, ours: 200, ratio: 4, holds: true, others })
  expect(await measure('B')).toMatchObject({ ratio: 4, others: [] })
  expect((formatResults as (results: readonly object[]) => string)([measured])).toMatch(/sqlite-group/)
})
