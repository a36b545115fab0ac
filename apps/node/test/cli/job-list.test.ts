import assert from 'node:assert/strict'
import type { WireJob } from '@saltcod/bacalhau-records'
import { test } from 'vitest'
import { flagUses } from '../../../../test/flag-uses.ts'
import { keptTerminal } from '../../../../test/kept-terminal.ts'
import { jobList } from '../../src/cli/commands/job-list.ts'
import { noopJob, startTestNode, type TestNode } from '../node-fixture.ts'

/** Runs `job list` on a terminal and returns what that shows. */
async function listed(node: TestNode, options: object, colour = false): Promise<string> {
  const terminal = keptTerminal({ outputIsTerminal: true, errorIsTerminal: true, colour })
  const { port } = new URL(node.url)
  await jobList(terminal, {
    output: 'json',
    limit: 10,
    settings: flagUses('--port', port, '--repo', node.directory),
    ...options,
  })
  return terminal.stdout
}

test('jobs are listed with the newest first, or the oldest, and their states have colours', async () => {
  const node = await startTestNode()
  const ids: string[] = []
  for (const Name of ['one', 'two', 'three']) ids.push(await node.submit(noopJob({ Name })))
  for (const id of ids) await node.until(id, 'Completed')
  const order = async (options: object): Promise<string[]> =>
    (JSON.parse(await listed(node, options)) as WireJob[]).map(({ ID }) => ID)
  assert.deepEqual(await order({}), ids.toReversed())
  assert.deepEqual(await order({ limit: 2 }), ids.toReversed().slice(0, 2))
  assert.deepEqual(await order({ orderReversed: true }), ids)
  assert.deepEqual(
    await order({ orderBy: 'modified_at' }),
    (await order({ orderBy: 'modified_at', orderReversed: true })).toReversed(),
  )

  const coloured = await listed(node, { output: 'table' }, true)
  assert.equal(coloured.split('\u001b[32mCompleted\u001b[39m').length - 1, 3)
  const plain = await listed(node, { output: 'table' })
  assert.ok(!plain.includes('\u001b'))
  assert.match(plain, /Completed\n/)
})
