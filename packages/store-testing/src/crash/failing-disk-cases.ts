import assert from 'node:assert/strict'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { type CrashCase, NO_COMPILER } from './crash-case.ts'
import { KV_WRITER } from './kill-cases.ts'
import { LineProcess } from './line-process.ts'
import { FAILING_DISK, preloadLibrary } from './preload-library.ts'
import { WRITER_TABLES, WriterLedger } from './writer-ledger.ts'

const CODES: ReadonlySet<string> = new Set(['OUTCOME_UNKNOWN', 'STORE_FAILED'])

/** Cases about a disk that fails under a store in use. */
export const failingDiskCases: readonly CrashCase[] = (['sync', 'write'] as const).map((call) => ({
  name: `when every ${call} fails, all is refused, the store can be closed, and nothing acknowledged is lost`,
  run: async ({ module, backend, directory: parent }) => {
    const library = preloadLibrary(FAILING_DISK, parent)
    if (library === undefined) return NO_COMPILER
    const directory = join(parent, 'store')
    mkdirSync(directory)
    const trigger = join(parent, 'trigger')
    const writer = new LineProcess([KV_WRITER, module.href, directory], {
      environment: { LD_PRELOAD: library, FAILING_DISK: trigger },
    })
    try {
      await writer.count(60)
      writeFileSync(trigger, call)
      assert.equal(await writer.line('failed'), 'failed STORE_FAILED')
      await writer.line('closed')
    } finally {
      await writer.kill()
      rmSync(trigger, { force: true })
    }
    const ledger = new WriterLedger()
    ledger.note(writer.lines)
    assert.deepEqual(
      [...ledger.codes].filter((code) => !CODES.has(code)),
      [],
    )
    assert.ok(ledger.codes.size > 0, 'no write was refused')
    const store = await backend.openKv(directory, WRITER_TABLES)
    try {
      ledger.compare(store, `after every ${call} failed`)
      await store.write((transaction) => {
        transaction.put('beta', Buffer.from('later'), Buffer.alloc(10))
      })
    } finally {
      await store.close()
    }
    return undefined
  },
}))
