import { type ChildProcess, execFileSync, fork, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { isStoreError } from '@saltcod/store-core'
import { describe, expect, onTestFinished, test } from 'vitest'
import { IS_LONG } from '../../../test/seed.ts'
import { OFFICIAL } from '../../../test/shared-fixtures.ts'
import { temporaryDirectory } from '../../../test/temporary-directory.ts'
import { boltPages, boltStatistics, checkBolt, openBoltFile } from '../src/index.ts'

/** How often the file of a program that writes is read in every way. */
const ROUNDS = IS_LONG ? 2_000 : 25
const DEADLINE_MS = 60_000
/** Commits that are to be met at least, of a program that goes on writing. */
const SEEN = 5

const hasEtcd = spawnSync('etcd', ['--version']).status === 0

/** What came of reading a file again and again. */
interface Outcomes {
  readonly transactions: Set<bigint>
  /** How often it changed too fast for a check. */
  tooFast: number
  rows: number
}

/** Reads the file in every way while its owner writes; fails for every error but that it changes too fast. */
async function readAlways(path: string): Promise<Outcomes> {
  const outcomes: Outcomes = { transactions: new Set(), tooFast: 0, rows: 0 }
  const file = await openBoltFile(path)
  try {
    const end = Date.now() + DEADLINE_MS
    const isSeen = () => outcomes.transactions.size + outcomes.tooFast >= SEEN || Date.now() > end
    for (let round = 0; round < ROUNDS || !isSeen(); round += 1) {
      try {
        const report = await file.read(checkBolt)
        expect(report.findings).toEqual([])
        outcomes.transactions.add(report.transaction)
        expect((await file.read(boltStatistics)).damage).toEqual([])
        expect([...(await file.read(boltPages))].some(({ kind }) => kind === 'unreadable')).toBe(false)
      } catch (error) {
        if (!isStoreError(error, 'STORE_CHANGING')) throw error
        outcomes.tooFast += 1
      }
      const names = await file.read(({ root }) => [...root.keys()].map(({ key }) => Buffer.from(key)))
      for (const name of names) {
        let last = Buffer.alloc(0)
        for await (const { values } of file.pieces([name], ({ key }) => Buffer.from(key), { maxRows: 50 })) {
          for (const key of values) {
            expect(Buffer.compare(last, key)).toBeLessThan(0)
            last = key
            outcomes.rows += 1
          }
        }
      }
    }
  } finally {
    await file.close()
  }
  return outcomes
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return typeof address === 'object' && address !== null ? address.port : 0
}

async function answering(ask: () => Promise<unknown>): Promise<void> {
  const end = Date.now() + DEADLINE_MS
  for (;;) {
    try {
      await ask()
      return
    } catch (error) {
      if (Date.now() > end) throw error
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

function endWithTest(child: ChildProcess): void {
  onTestFinished(async () => {
    if (child.exitCode !== null) return
    const exit = once(child, 'exit')
    child.kill('SIGKILL')
    await exit
  })
}

describe.runIf(hasEtcd)('the file of a running etcd', () => {
  test('is sound whenever it is read, and etcd goes on', async () => {
    const directory = temporaryDirectory()
    const [client, peer] = [await freePort(), await freePort()]
    const url = `http://127.0.0.1:${client}`
    const own = `http://127.0.0.1:${peer}`
    const etcd = spawn(
      'etcd',
      [
        ...['--data-dir', directory, '--listen-client-urls', url, '--advertise-client-urls', url],
        ...[
          '--listen-peer-urls',
          own,
          '--initial-advertise-peer-urls',
          own,
          '--initial-cluster',
          `default=${own}`,
        ],
      ],
      { stdio: 'ignore' },
    )
    endWithTest(etcd)
    const put = async (key: string, value: string): Promise<void> => {
      const body = JSON.stringify({
        key: Buffer.from(key).toString('base64'),
        value: Buffer.from(value).toString('base64'),
      })
      const answer = await fetch(`${url}/v3/kv/put`, { method: 'POST', body })
      expect(answer.status).toBe(200)
      await answer.arrayBuffer()
    }
    await answering(() => put('first', 'value'))
    const writer = fork(new URL('etcd-writer-process.mjs', import.meta.url), [url], { stdio: 'ignore' })
    endWithTest(writer)
    const said = once(writer, 'message')
    const outcomes = await readAlways(join(directory, 'member/snap/db'))
    writer.send('enough')
    const [{ written }] = (await said) as [{ readonly written: number }]
    expect(written).toBeGreaterThan(0)
    expect(outcomes.rows).toBeGreaterThan(0)
    expect(outcomes.transactions.size + outcomes.tooFast).toBeGreaterThanOrEqual(SEEN)
    await put('last', 'value')
    expect(etcd.exitCode).toBeNull()
  })
})

/** Whether a network namespace can be had, in which an official node can call nobody. */
const isolated =
  OFFICIAL !== null && spawnSync('unshare', ['-n', 'true']).status === 0 && existsSync('/sbin/ip')

describe.runIf(isolated)('the files of a running Bacalhau node', () => {
  test('are sound whenever they are read, the node goes on, and its next start is not refused', async () => {
    const directory = temporaryDirectory()
    const reader = new URL('bacalhau-node-process.mjs', import.meta.url).pathname
    const output = execFileSync('unshare', ['-n', process.execPath, reader, directory, String(ROUNDS)], {
      encoding: 'utf8',
      env: { ...process.env, OFFICIAL: OFFICIAL ?? '' },
      timeout: 600_000,
      killSignal: 'SIGKILL',
    })
    const told = JSON.parse(output.trim().split('\n').at(-1) ?? '') as Record<
      string,
      number | readonly string[]
    >
    expect(told['errors']).toEqual([])
    expect(told['checks']).toBeGreaterThan(0)
    expect(told['rows']).toBeGreaterThan(0)
    expect(told['startsBesideReader']).toBe(1)
  })
})
