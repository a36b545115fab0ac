import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { WireJob } from '@saltcod/bacalhau-records'
import { test } from 'vitest'
import { eventually } from '../../../../test/eventually.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { checkStores } from '../chaos/stores-of.ts'
import { jobUntil, saltcod, serveNode } from './binary.ts'

const FIXTURES = fileURLToPath(new URL('../../../../test/fixtures', import.meta.url))

test.each([
  { schema: 1, migrated: 2 },
  { schema: 2, migrated: 2 },
])(
  'a node that was killed under a release with schema $schema goes on with every job',
  async ({ schema, migrated }) => {
    const directory = temporaryDirectory()
    execFileSync('tar', ['-xzf', `${FIXTURES}/schema-${schema}/repository.tar.gz`, '-C', directory])
    writeFileSync(join(directory, 'saltcod.yaml'), 'GracePeriod: 100ms\n')
    const node = await serveNode(directory, ['--allow-exec'])
    assert.equal(node.log().match(/"code":"MIGRATED"/g)?.length ?? 0, migrated)
    const list = await saltcod(['job', 'list', '--limit', '100', '--output', 'json'], { env: node.env })
    const jobs = JSON.parse(list.stdout) as WireJob[]
    assert.ok(jobs.length >= 5, list.stdout)
    const before = jobs.filter(({ State }) => State.StateType === 'Completed')
    assert.ok(before.length >= 3)
    for (const { ID, Type, State } of jobs) {
      if (Type !== 'batch' || State.StateType !== 'Running') continue
      // It was interrupted, and is carried on by another execution.
      await eventually('another execution', async () => {
        const { Executions } = await jobUntil(node.url, ID, 'Running')
        return (Executions?.Items.length ?? 0) > 1
      })
      assert.equal((await saltcod(['job', 'stop', ID], { env: node.env })).code, 0)
      await jobUntil(node.url, ID, 'Stopped')
    }
    const logs = await saltcod(['job', 'logs', before.at(0)?.ID ?? ''], { env: node.env })
    assert.equal(logs.code, 0, logs.stderr)
    node.signal('SIGTERM')
    assert.equal((await node.exited).code, 0)
    await checkStores(directory)
    const kept = readdirSync(directory, { recursive: true, encoding: 'utf8' })
    assert.equal(kept.filter((name) => /\.db\.schema-\d+-\d+$/.test(name)).length, migrated)
  },
  120_000,
)
