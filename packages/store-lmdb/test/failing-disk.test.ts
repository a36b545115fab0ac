import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { expect, test } from 'vitest'

import { preloadLibrary } from '../../../test/preload-library.ts'
import { openLmdbKv } from '../src/index.ts'
import { StoreProcess } from './store-process.ts'
import { temporaryDirectory } from './temporary-directory.ts'

const SOURCE = new URL('./failing-disk.c', import.meta.url)

test.for(['fdatasync', 'meta', 'pwrite'])(
  'when %s fails, everything is refused, the store can be closed, and nothing acknowledged is lost',
  async (call, { skip }) => {
    const library = preloadLibrary(SOURCE, temporaryDirectory())
    if (library === undefined) {
      skip('there is no gcc to build the library that lets the disk fail')
      return
    }
    const directory = temporaryDirectory()
    const path = join(directory, 'jobs.db')
    const trigger = join(directory, 'trigger')
    const writer = new StoreProcess('write', path, {
      environment: { LD_PRELOAD: library, FAILING_DISK: trigger },
    })
    await writer.count(60)
    writeFileSync(trigger, call)
    expect(await writer.line('failed')).toBe('failed STORE_FAILED')
    await writer.line('closed')
    // lmdb 3.5.6 writes the text of a failed page write beyond the 100 bytes that it asks for (mdb.c, mdb_page_flush),
    // so the end of such a process may be the allocator's.
    expect(await writer.exit()).toMatch(call === 'pwrite' ? /^(0|SIGABRT|SIGSEGV)$/ : /^0$/)
    rmSync(trigger)
    const codes = new Set(
      writer.lines.map((line) => line.split(' ')[0]).filter((word) => /^[A-Z]/.test(word ?? '')),
    )
    expect([...codes].filter((code) => code !== 'OUTCOME_UNKNOWN' && code !== 'STORE_FAILED')).toEqual([])
    expect(codes).toContain('OUTCOME_UNKNOWN')

    const notices: string[] = []
    const store = await openLmdbKv({
      path,
      tables: ['alpha', 'beta'],
      onNotice: ({ code }) => notices.push(code),
    })
    expect(notices).toEqual(['OWNER_DIED'])
    const there = new Set(
      store
        .read((snapshot) => snapshot.keys('alpha', { limit: 10_000 }))
        .map((key) => Number(Buffer.from(key).toString())),
    )
    const kept = writer.lines
      .filter((line) => line.startsWith('kept'))
      .map((line) => Number(line.split(' ')[1]))
    expect(kept.filter((id) => !there.has(id))).toEqual([])
    await store.write((transaction) => {
      transaction.put('alpha', Buffer.from('later'), Buffer.alloc(10))
    })
    await store.close()
  },
)
