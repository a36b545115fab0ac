/** The thread that makes the commits of an open file. It ends with its port. */

import { closeSync, openSync, writeSync } from 'node:fs'
import { setPriority } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import type { RootDatabase } from 'lmdb'
import { extendFile } from '../file/extended-file.ts'
import { spareDescriptors } from '../file/spare-descriptors.ts'
import type { CommitOrder, CommitThreadData, Probe, TimedAnswer } from './commit-thread.ts'
import { changesOf } from './group-message.ts'
import { ENCODING, openRoot } from './native-root.ts'
import type { NativeRoot } from './native-types.ts'

type Table = ReturnType<RootDatabase<Buffer, Uint8Array>['openDB']>

const ZERO = Buffer.alloc(1)

const { options, tables, file, priority, done } = workerData as CommitThreadData
try {
  // Whoever comes before others does not wait for a thread that comes after them.
  setPriority(priority)
} catch {
  // Only some users may.
}
const root = openSame()
const open = new Map<string, Table>()
for (const name of tables) {
  const table = root.openDB(name, { ...ENCODING, create: false } as object) as Table | undefined
  if (table !== undefined) open.set(name, table)
}

/** By the file and not by its name, where LMDB would make a new one if the file was moved away or removed. */
function openSame(): ReturnType<typeof openRoot> {
  const path = `/proc/self/fd/${file}`
  return spareDescriptors.lend(options.path, () => {
    // Where an opening of LMDB's own fails, it uses memory that it has freed.
    closeSync(openSync(path, 'r+'))
    return openRoot({ ...options, path })
  })
}

function tableOf(name: string): Table {
  const table = open.get(name)
  if (table === undefined) throw new TypeError(`The table ${name} is not open.`)
  return table
}

/** The caller's bodies have run on the last commit, so it has to be the one that this transaction begins at. */
function commit(message: ArrayBuffer, probe: Probe | undefined): TimedAnswer {
  const native = root as unknown as NativeRoot
  let isStale = false
  const beganMs = performance.now()
  let handedOverMs = 0
  try {
    root.transactionSync(() => {
      isStale = native.getWriteTxnId() - 1 !== native.env.info().lastTxnId
      if (isStale) throw new Error('the transaction began behind the last commit')
      for (const { table, key, value } of changesOf(message, tables)) {
        if (value === null) tableOf(table).removeSync(key)
        else tableOf(table).putSync(key, value as Buffer)
      }
      if (probe !== undefined) writeSync(probe.file, ZERO, 0, 1, probe.position)
      handedOverMs = performance.now()
    })
    const endMs = performance.now()
    return { kind: 'committed', time: { tookMs: endMs - handedOverMs, allMs: endMs - beganMs } }
  } catch (error) {
    if (isStale) return { kind: 'stale' }
    throw error
  }
}

function carryOut(order: CommitOrder): TimedAnswer {
  try {
    if (order.kind === 'commit') return commit(order.message, order.probe)
    if (order.kind === 'extend') extendFile(order.file, order.fromBytes, order.toBytes)
    else void root.close()
    return { kind: 'done' }
  } catch (error) {
    const { message, code } = error as { readonly message: string; readonly code?: unknown }
    return { kind: 'failed', message, code }
  }
}

const port = parentPort
port?.on('message', (order: CommitOrder) => {
  port.postMessage(carryOut(order))
  if (order.kind === 'close') port.close()
  noteDone()
})
port?.postMessage({ kind: 'done' })
noteDone()

/** Lets whoever waits for the end of the process go on. */
function noteDone(): void {
  Atomics.add(done, 0, 1)
  Atomics.notify(done, 0)
}
