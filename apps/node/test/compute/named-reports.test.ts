import type { ExecutionStore } from '@saltcod/store-core'
import { openMemoryExecutionStore } from '@saltcod/store-memory'
import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { startCompute } from '../../src/compute/compute-node.ts'
import { linkInProcess } from '../../src/link/in-process.ts'
import type { HandshakeReply } from '../../src/link/link.ts'
import { jobOf, settingsFor } from './fixture.ts'
import { TestRequester } from './test-requester.ts'

/** A requester of another process, which says who it is when hands are shaken. */
class RemoteRequester extends TestRequester {
  override async handshake(...request: Parameters<TestRequester['handshake']>): Promise<HandshakeReply> {
    return { ...(await super.handshake(...request)), version: 2, requesterId: 'requester', session: 's' }
  }
}

test('a node names what has ended and was not taken when it comes, though it does not know its requester yet', async () => {
  const store: ExecutionStore = await openMemoryExecutionStore()
  const requester = new RemoteRequester()
  const dataDir = temporaryDirectory()
  await store.createExecution({ id: 'e-1', job: jobOf('noop', {}), requesterId: 'requester' })
  const body = { executionId: 'e-1', revision: 2, state: 'Cancelled' }
  const outbox = [{ destination: 'requester', body }]
  await store.updateExecution({ executionId: 'e-1', to: 'Cancelled', outbox })
  requester.executions.set('e-1', {
    state: 'Running',
    revision: 1,
    runOutput: null,
    publishedResult: null,
    events: [],
  })
  const { link, close } = linkInProcess(requester)
  const side = await startCompute({
    store,
    link,
    nodeId: 'node',
    isRemote: true,
    dataDir,
    settings: settingsFor(dataDir),
    log: pino({ level: 'silent' }),
  })
  onTestFinished(async () => {
    await side.stop(0)
    close()
  })
  expect(requester.handshakes.map((named) => named.map(({ executionId }) => executionId))).toEqual([['e-1']])
})
