import { copyFileSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { newId } from '@saltcod/store-core'
import { idTuple } from '@saltcod/store-core/format'
import { openLmdbExecutionStore, openLmdbJobStore } from '@saltcod/store-lmdb'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type Fixture, inspect, inspectJson, makeFixture } from './fixture.ts'

// Each run of the program is a process of its own, and a busy machine has little time for it.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 })

const JOBS = 40
const jobIds = Array.from({ length: JOBS }, () => newId('j'))

let fixture: Fixture

/** Two files of one store: `loose.db` as it was written, `folded.db` with its finished jobs folded. */
beforeAll(async () => {
  fixture = await makeFixture()
  const store = await openLmdbJobStore({ path: at('loose.db') })
  for (const [number, jobId] of jobIds.entries()) {
    await store.submitJob({
      id: jobId,
      name: `name-${number}`,
      type: 'batch',
      spec: { pad: 'x'.repeat(number * 9) },
    })
    const { id } = await store.createExecution({ jobId, nodeId: 'n-1' })
    await store.updateExecution({ executionId: id, to: 'Completed' })
    const claim = await store.claimEvaluation({ holder: 'worker', leaseMs: 60_000 })
    if (claim !== null) await store.completeEvaluation({ lease: claim.lease })
    if (number % 4 !== 0) await store.transitionJob({ jobId, to: 'Completed' })
  }
  await store.close()
  copyFileSync(at('loose.db'), at('folded.db'))
  const folded = await openLmdbJobStore({ path: at('folded.db') })
  expect((await folded.fold({ limit: 500 })).folded).toBe(JOBS - JOBS / 4)
  await folded.close()
})

afterAll(() => fixture.remove())

function at(name: string): string {
  return join(fixture.directory, name)
}

function run(...args: readonly string[]) {
  return inspect(fixture.directory, ...args)
}

/** Asserts that a file has the same records as the one that was never folded. */
function expectSame(name: string): void {
  expect(run('diff', 'loose.db', name)).toMatchObject({ status: 0, stdout: '' })
}

describe('a store with folded jobs', () => {
  test('has the same rows and prints the same answers as before', () => {
    expect(run('check', 'folded.db')).toMatchObject({ status: 0 })
    expectSame('folded.db')
    const keys = (name: string) => run('keys', name, 'history').stdout
    expect(keys('folded.db')).toBe(keys('loose.db'))
  })

  test('keeps its records through copies, exports and repairs', () => {
    expect(run('compact', 'folded.db', 'small.db').status).toBe(0)
    expectSame('small.db')
    expect(statSync(at('small.db')).size).toBeLessThan(statSync(at('loose.db')).size)
    expect(run('repair', 'folded.db', 'repaired.db')).toMatchObject({ status: 0 })
    expectSame('repaired.db')
    expect(run('salvage', 'folded.db', 'saved.db')).toMatchObject({ status: 0 })
    expectSame('saved.db')
  })

  test('loses one job alone where a folded record is damaged', () => {
    const bytes = readFileSync(at('folded.db'))
    const key = idTuple('j', jobIds[9] ?? '')
    for (let place = bytes.indexOf(key); place >= 0; place = bytes.indexOf(key, place + 1)) {
      // The record stands right behind its key; older pages may hold it too.
      const inside = place + key.length + 40
      if (bytes[place + key.length] === 2) bytes[inside] = (bytes[inside] ?? 0) ^ 16
    }
    writeFileSync(at('damaged.db'), bytes)
    const { findings } = JSON.parse(run('check', 'damaged.db', '--output', 'json').stdout) as {
      findings: { rule: string; key: string }[]
    }
    expect(findings).toContainEqual(
      expect.objectContaining({
        rule: 'record-corrupt',
        table: 'jobs',
        key: Buffer.from(key).toString('hex'),
      }),
    )
    expect(run('salvage', 'damaged.db', 'rescued.db')).toMatchObject({ status: 1 })
    expect(run('check', 'rescued.db').status).toBe(0)
    const lost = inspectJson<{ id: string }[]>(fixture.directory, 'jobs', 'rescued.db', '--all')
    expect(lost.map(({ id }) => id).sort()).toEqual(jobIds.filter((id) => id !== jobIds[9]).sort())
    rmSync(at('damaged.db'))
  })

  test('executions are the same too', async () => {
    const store = await openLmdbExecutionStore({ path: at('runs.db') })
    for (let n = 0; n < 10; n++) {
      const job = { id: newId('j'), version: 1, namespace: 'default', name: 'x', priority: 0, spec: {} }
      const { id } = await store.createExecution({
        id: newId('e'),
        requesterId: 'r',
        job: { ...job, type: 'batch' },
      })
      const { revision } = await store.updateExecution({ executionId: id, to: 'Failed' })
      await store.acknowledgeExecution({ executionId: id, revision })
    }
    await store.close()
    copyFileSync(at('runs.db'), at('runs-folded.db'))
    const folded = await openLmdbExecutionStore({ path: at('runs-folded.db') })
    expect((await folded.fold()).folded).toBe(10)
    await folded.close()
    expect(run('salvage', 'runs-folded.db', 'runs-saved.db')).toMatchObject({ status: 0 })
    expect(run('diff', 'runs.db', 'runs-saved.db')).toMatchObject({ status: 0, stdout: '' })
  })
})
