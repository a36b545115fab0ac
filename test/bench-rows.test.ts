import { join } from 'node:path'
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
