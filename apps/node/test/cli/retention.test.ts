import assert from 'node:assert/strict'
import { afterAll, beforeAll, test } from 'vitest'
import { ProgramSession } from '../../../../test/program-session.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import type { GcReport } from '../../src/retention/gc-report.ts'
import { COMMANDS, jobUntil, serveNode } from './binary.ts'

let session: ProgramSession
beforeAll(() => {
  session = new ProgramSession(COMMANDS)
})
afterAll(() => session.close())

test('old jobs are held, planned for removal and removed, and a restart brings none back', async () => {
  const directory = temporaryDirectory()
  const node = await serveNode(directory)
  const { env } = node
  const ids: string[] = []
  for (const name of ['one', 'two', 'three']) {
    const response = await fetch(`${node.url}/api/v1/orchestrator/jobs`, {
      method: 'PUT',
      body: JSON.stringify({
        Job: { Name: name, Type: 'batch', Count: 1, Tasks: [{ Name: 'main', Engine: { Type: 'noop' } }] },
      }),
    })
    ids.push(((await response.json()) as { JobID: string }).JobID)
  }
  for (const id of ids) await jobUntil(node.url, id, 'Completed')
  const held = await session.run(['job', 'hold', 'one', '--reason', 'audit'], { env })
  assert.deepEqual([held.code, held.stdout], [0, `Job ${ids[0]} is held: audit\n`])

  const described = await session.run(['job', 'describe', 'one'], { env })
  assert.match(described.stdout, /^Held {8}audit$/m)
  const { Job } = await jobUntil(node.url, 'one', 'Completed')
  assert.equal(Job.Meta['saltcod/hold'], 'audit')

  const planned = await session.run(['gc', '--dry-run', '--max-age', '0s', '--output', 'json'], { env })
  assert.equal(planned.code, 0, planned.stderr)
  const plan = JSON.parse(planned.stdout) as GcReport
  assert.deepEqual([plan.removedJobs, plan.heldJobs, plan.dryRun], [2, 1, true])
  const elsewhere = await session.run(['gc', '--max-age', '0s', '--namespace', 'elsewhere'], { env })
  assert.equal(elsewhere.stdout, 'Removed 0 jobs, 0 B of records.\n')
  const removed = await session.run(['gc', '--max-count', '0', '--output', 'json'], { env })
  assert.equal(removed.code, 0, removed.stderr)
  const done = JSON.parse(removed.stdout) as GcReport
  assert.deepEqual([done.removedJobs, done.removedBytes, done.overdueSeconds], [2, plan.removedBytes, 0])
  const released = await session.run(['job', 'release', 'one', '--output', 'json'], { env })
  assert.deepEqual(JSON.parse(released.stdout), { JobID: ids[0], Hold: null, HeldBefore: 'audit' })
  const again = await session.run(['job', 'release', 'one'], { env })
  assert.deepEqual([again.code, again.stdout], [0, `Job ${ids[0]} was not held.\n`])
  assert.equal((await jobUntil(node.url, 'one', 'Completed')).Job.Meta['saltcod/hold'], undefined)

  node.signal('SIGKILL')
  await node.exited
  const next = await serveNode(directory)
  const list = await fetch(`${next.url}/api/v1/orchestrator/jobs`)
  const { Items } = (await list.json()) as { Items: { ID: string }[] }
  assert.deepEqual(
    Items.map(({ ID }) => ID),
    [ids[0]],
  )
}, 120_000)

test('without a rule nothing goes, and that is said', async () => {
  const { env } = await serveNode(temporaryDirectory())
  const ran = await session.run(['gc'], { env })
  assert.match(
    ran.stdout,
    /^Removed 0 jobs, 0 B of records\.\nNo rule of Retention applies, so everything is kept: /,
  )
  const asked = await session.run(['gc', '--max-age', '1h'], { env })
  assert.equal(asked.stdout, 'Removed 0 jobs, 0 B of records.\n')
})

test('mistakes on the command line are told', async () => {
  const ages = await session.run(['gc', '--max-age', 'soon'])
  assert.equal(ages.code, 2)
  assert.match(ages.stderr, /It must be a duration such as 90m, 12h or 7d/)
  const hold = await session.run(['job', 'hold', 'x'])
  assert.equal(hold.code, 2)
  assert.match(hold.stderr, /--reason/)
})
