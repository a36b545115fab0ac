import assert from 'node:assert/strict'
import { renameSync } from 'node:fs'
import { join } from 'node:path'
import { loadConfig, rememberStores } from '@saltcod/config'
import { openLmdbExecutionStore, openLmdbJobStore } from '@saltcod/store-lmdb'
import { test } from 'vitest'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { saltcod } from './binary.ts'

test('the plan of a restart says which store is gone, and ends as that start would', async () => {
  const repository = temporaryDirectory({ 'node-id': 'me\n' })
  const jobs = join(repository, 'me-requester/jobs.db')
  const executions = join(repository, 'me-compute/executions.db')
  await (await openLmdbJobStore({ path: jobs })).close()
  const store = await openLmdbExecutionStore({ path: executions })
  const job = { id: 'j-1', version: 1, namespace: 'default', name: 'a', type: 'batch', priority: 0, spec: {} }
  await store.createExecution({ id: 'e-1', job: { ...job, type: 'batch' }, requesterId: 'me' })
  await store.close()
  const env = { BACALHAU_DIR: repository, BACALHAU_NODE_ID: 'me' }
  const { config } = loadConfig({ files: [], env })
  if (config === undefined) throw new Error('no configuration')
  rememberStores({
    config,
    nodeId: 'me',
    opened: { requester: { storeId: 's-1' }, compute: { storeId: 's-2' } },
    nowMs: 0,
  })
  const whole = await saltcod(['recover', '--plan'], { env })
  assert.deepEqual([whole.code, whole.stderr], [0, ''])
  renameSync(jobs, `${jobs}.away`)
  const alone = await saltcod(['recover', '--plan'], { env })
  assert.equal(alone.code, 2)
  assert.match(alone.stdout, /^e-1 [\s\S]*^in all: 1 admit$/m)
  assert.match(alone.stderr, /^Error: the job store at \S+ is gone: store s-1, last seen .* restore BACKUP/)
  renameSync(executions, `${executions}.away`)
  const none = await saltcod(['recover', '--plan'], { env })
  assert.deepEqual([none.code, none.stdout], [2, ''])
  assert.match(none.stderr, /the execution store at \S+ is gone: store s-2/)
})
