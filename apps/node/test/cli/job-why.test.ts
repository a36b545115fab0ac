import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually } from '../../../../test/eventually.ts'
import { ProgramSession } from '../../../../test/program-session.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import type { WhyAnswer } from '../../src/wire/why-answer.ts'
import { Cable } from '../link/cable.ts'
import { fileFlags } from '../node-fixture.ts'
import { COMMANDS, jobUntil, type Served, serveNode } from './binary.ts'

let session: ProgramSession
beforeAll(() => {
  session = new ProgramSession(COMMANDS)
})
afterAll(() => session.close())

async function why({ env }: Served, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await session.run(['job', 'why', ...args], { env })
  expect(code, stderr).toBe(0)
  return stdout
}

test('a job and an execution are explained from both sides, also while these do not reach each other', async () => {
  const requester = await serveNode(temporaryDirectory(), [
    ...['--node-type', 'requester', ...fileFlags({ Link: { SilentAfter: '1s', LostAfter: '1h' } })],
  ])
  const cable = new Cable(() => 0.5)
  cable.target = requester.url
  const node = await serveNode(temporaryDirectory(), [
    ...[
      '--node-type',
      'compute',
      '--node-id',
      'n-away',
      '--allow-exec',
      '--orchestrators',
      await cable.start(),
    ],
    ...fileFlags({ Link: { Heartbeat: '200ms' } }),
  ])
  const gate = join(node.directory, 'gate')
  const script = `touch ${gate}.up; while [ ! -e ${gate} ]; do sleep 0.02; done`
  const Engine = { Type: 'exec', Params: { Command: 'sh', Arguments: ['-c', script] } }
  const job = { Name: 'gated', Type: 'batch', Count: 1, Tasks: [{ Name: 'main', Engine }] }
  const file = join(requester.directory, 'job.json')
  writeFileSync(file, JSON.stringify(job))
  await session.run(['job', 'run', '--no-wait', file], { env: requester.env })
  await eventually('it runs', () => existsSync(`${gate}.up`))
  await eventually('both sides know it', async () =>
    (await why(requester, 'gated')).includes('and nothing is newer'),
  )
  const together = await why(requester, 'gated')
  expect(together).toMatch(/^job gated \(j-[^)]+\) is Running since /)
  expect(together).toMatch(/^execution e-\w+ on n-away$/m)
  expect(together).toMatch(/^ {2}requester +Running for /m)
  expect(together).toMatch(/^ {2}node +Running for /m)
  expect(together).toMatch(/^ {2}link +connected for \w+; last heard of at /m)
  const { Executions } = JSON.parse(await why(requester, 'gated', '--output', 'json')) as WhyAnswer
  const [execution] = Executions
  expect(execution).toMatchObject({
    NotAsked: '',
    Here: { State: 'Running' },
    There: { State: 'Running', Attempt: 1 },
  })
  expect(execution?.Revision).toBe(execution?.ReportedRevision)
  const id = execution?.ID ?? ''
  expect(await why(requester, id)).toMatch(/^ {2}node +Running/m)
  for (const name of [id, execution?.JobID ?? '']) {
    const own = await why(node, name)
    expect(own).toMatch(/^execution e-\w+ on n-away$/m)
    expect(own).toMatch(/^ {2}requester +Running for /m)
  }
  const described = await session.run(['job', 'describe', 'gated'], { env: requester.env })
  expect(described.stdout).toMatch(/^What the nodes know\nexecution e-/m)

  cable.cut()
  writeFileSync(gate, '')
  await eventually('the node is silent', async () =>
    (await why(requester, 'gated')).includes('  link        silent'),
  )
  const alone = await why(requester, 'gated')
  expect(alone).toMatch(/^ {2}node +not known: node n-away is not heard of$/m)
  expect(alone).toMatch(/^ {2}link +silent for \w+; last heard of at .* ago: node n-away is not heard of$/m)
  await eventually('it has ended there', async () => /^ {2}node +Completed/m.test(await why(node, id)))
  const away = await why(node, id)
  expect(away).toMatch(/^ {2}requester +not known: the requester cannot be asked \(.*\)$/m)
  expect(away).toMatch(/^ {2}reports +\d+ wait to be taken$/m)
  expect(away).toMatch(/^ {2}link +lost for /m)
  expect(away).toMatch(/^ {2}unsent +the oldest message to the other side has waited for /m)
  expect((await session.run(['job', 'why', 'gated'], { env: node.env })).stderr).toMatch(
    /neither an execution nor a job with executions on this node: gated\nHint: name an execution/,
  )

  cable.mend()
  await jobUntil(requester.url, execution?.JobID ?? '', 'Completed')
  const over = await why(requester, 'gated')
  expect(over).toMatch(/^ {2}requester +Completed for /m)
  expect(over).toMatch(/^ {2}node +Completed for /m)
})

test('each node that cannot do a job is told below it', async () => {
  const node = await serveNode(temporaryDirectory())
  const file = join(node.directory, 'job.json')
  const [Engine, Constraints] = [{ Type: 'noop' }, [{ Key: 'zone', Operator: 'in', Values: ['mars'] }]]
  writeFileSync(
    file,
    JSON.stringify({ Name: 'far', Type: 'batch', Constraints, Tasks: [{ Name: 'main', Engine }] }),
  )
  await session.run(['job', 'run', file], { env: node.env })
  expect(await why(node, 'far')).toMatch(
    /is Failed since .*\n {2}not enough nodes .*\n {2}• Node n-\S+: it has no label/,
  )
})
