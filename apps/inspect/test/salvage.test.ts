import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { parseHeader, walkFile } from '@saltcod/store-lmdb/file'
import { beforeAll, expect, test, vi } from 'vitest'
import { useFixtureSession } from './fixture-session.ts'
import { writeFullJobStore } from './full-store.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const PAGE_BYTES = 4_096
/** Where a page says where its list of rows ends. */
const ROW_END_OFFSET = 20

interface Salvaged {
  readonly savedRows: number
  readonly isWhole: boolean
  readonly leftOut: number
  readonly rows: readonly { readonly table: string; readonly reason: string }[]
}

const { run, at } = useFixtureSession()

beforeAll(async () => await writeFullJobStore(at('large.db')))

/** Salvages a store that was damaged, and returns what is said of it in words and in JSON. */
async function salvaged(name: string, bytes: Buffer) {
  writeFileSync(at(name), bytes, { mode: 0o600 })
  const told = await run('salvage', name, `${name}.told`)
  const listed = await run('salvage', name, `${name}.listed`, '--output', 'json')
  expect(listed.status).toBe(told.status)
  return { ...told, value: JSON.parse(listed.stdout) as Salvaged }
}

/** A copy of the large store, and in it a page of several rows of a table, and where that begins. */
function pageOf(table: string): { readonly bytes: Buffer; readonly page: Buffer; readonly start: number } {
  const bytes = readFileSync(at('large.db'))
  for (let start = 2 * PAGE_BYTES; start < bytes.length; start += PAGE_BYTES) {
    const page = bytes.subarray(start, start + PAGE_BYTES)
    const header = parseHeader(page, start / PAGE_BYTES)
    if (typeof header === 'string' || header.kind !== 'leaf' || header.count < 4) continue
    const without = Buffer.from(bytes).fill(0, start, start + PAGE_BYTES)
    if (tablesThatLose(without).includes(table)) return { bytes, page, start }
  }
  throw new Error(`there is no page of ${table}`)
}

function tablesThatLose(bytes: Buffer): string[] {
  writeFileSync(at('tried.db'), bytes)
  const tables: string[] = []
  const walk = walkFile(at('tried.db'), {
    problem: () => undefined,
    lost: ({ table }) => void tables.push(table),
  })
  while (walk.next().done !== true);
  return tables
}

test.each(['executions.db', 'jobs.db'])(
  'a total loss of %s is none that is sound: nothing could be saved',
  async (store) => {
    const bytes = readFileSync(at(store))
    randomBytes(bytes.length - 2 * PAGE_BYTES).copy(bytes, 2 * PAGE_BYTES)
    const { status, stdout, value } = await salvaged(`lost-${store}`, bytes)
    expect(status).toBe(1)
    expect(stdout).toContain(`no record could be saved: lost-${store}.told is an empty store`)
    expect(stdout).not.toContain('sound')
    expect(value).toMatchObject({ savedRows: 0, isWhole: false })
    expect(value.rows.map(({ table, reason }) => `${table}: ${reason}`)).toContainEqual(
      expect.stringMatching(/^\(tables\): all rows of the tables from the beginning to the end were on the/),
    )
  },
)

test('rows that only the number of rows of a page told of count as lost', async () => {
  const { bytes, page } = pageOf('history')
  page.writeUInt16LE(page.readUInt16LE(ROW_END_OFFSET) - 6, ROW_END_OFFSET)
  const { status, stdout, value } = await salvaged('thinned.db', bytes)
  expect(status).toBe(1)
  expect(stdout).toMatch(/^damage: /)
  expect(stdout).not.toContain('sound')
  expect(value.isWhole).toBe(false)
})

test('no other copy of a page that has lost rows passes for whole', async () => {
  const { bytes, page } = pageOf('history')
  page.writeUInt16LE(page.readUInt16LE(ROW_END_OFFSET) - 6, ROW_END_OFFSET)
  writeFileSync(at('short.db'), bytes, { mode: 0o600 })
  for (const verb of ['compact', 'repair', 'backup', 'restore']) {
    const { status, stdout, stderr } = await run(verb, 'short.db', `short.${verb}`)
    expect({ verb, status, stdout }).toEqual({ verb, status: verb === 'restore' ? 1 : 3, stdout: '' })
    expect(stderr).toMatch(/rows, there are/)
    expect(existsSync(at(`short.${verb}`))).toBe(false)
  }
  const exported = await run('export', 'short.db', 'short.ndjson')
  expect(exported).toMatchObject({ status: 1, stderr: expect.stringContaining('rows may be missing') })
})

test('an import that leaves rows out ends with 1', async () => {
  await run('export', 'jobs.db', 'whole.ndjson', '--show-secrets')
  const lines = readFileSync(at('whole.ndjson'), 'utf8').split('\n')
  const rest = lines.filter((line) => !line.includes('"table":"jobs"'))
  writeFileSync(at('rest.ndjson'), rest.join('\n'))
  const { status, stdout } = await run('import', 'rest.ndjson', 'rest.db')
  expect(stdout).toContain('left out, kept in')
  expect(status).toBe(1)
})

test('rows of a table whose name is damaged are left out, and that is said', async () => {
  const { bytes, page } = pageOf('(tables)')
  page.write('histori', page.indexOf('history'))
  const { status, stdout, value } = await salvaged('renamed.db', bytes)
  expect(status).toBe(1)
  expect(stdout).not.toContain('sound')
  expect(value.rows).toContainEqual(
    expect.objectContaining({ table: 'histori', reason: 'its table is none of a store' }),
  )
})

test('a damaged page of what is made anew costs nothing', async () => {
  const { bytes, start } = pageOf('index')
  const { status, stdout, value } = await salvaged('index.db', bytes.fill(0, start, start + PAGE_BYTES))
  expect(status).toBe(0)
  expect(stdout).toMatch(/^damage: [\s\S]*: sound\n$/)
  expect(value).toMatchObject({ isWhole: true, leftOut: 0 })
})
