import assert from 'node:assert/strict'
import { openMemoryExecutionStore } from '@saltcod/store-memory'
import { test } from 'vitest'
import { until } from '../../../../test/eventually.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { LinkError } from '../../src/link/link-error.ts'
import { startComputeSide } from './fixture.ts'
import { TestRequester } from './test-requester.ts'

test.each([
  { answers: 'that there is nothing', code: null },
  { answers: 'that it knows nobody', code: 'LINK_UNKNOWN' },
] as const)('no requester is asked without a pause that says at once $answers', async ({ code }) => {
  const link = new TestRequester()
  // Nothing passes between two heartbeats then but the shortest pause that there is.
  link.silentAfterMs = 0
  let asked = 0
  link.demands = () => {
    asked += 1
    return Promise.resolve(asked % 2 === 0 ? [] : [{ number: 0, kind: 'execution', executionId: 'e' }])
  }
  link.poll = () => {
    asked += 1
    return code === null ? Promise.resolve([]) : Promise.reject(new LinkError(code, 'shake hands'))
  }
  await startComputeSide({ store: await openMemoryExecutionStore(), link, dataDir: temporaryDirectory() })
  await until(
    () => link.heartbeats,
    (heartbeats) => heartbeats >= 20,
  )
  assert.ok(asked < 20, `it was asked ${asked} times`)
  assert.ok(link.handshakes.length < 20, `hands were shaken ${link.handshakes.length} times`)
})
