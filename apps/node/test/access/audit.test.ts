import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { pino } from 'pino'
import { test } from 'vitest'
import { noopJob } from '../node-fixture.ts'
import { startAccessNode } from './access-node.ts'

interface Line {
  readonly msg: string
  readonly JobID?: string
  readonly EvaluationID?: string
  readonly [field: string]: unknown
}

/** A log of warnings alone, whose lines are kept. */
function keptLog() {
  const lines: Line[] = []
  const write = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(JSON.parse(chunk.toString()) as Line)
      done()
    },
  })
  return { lines, log: pino({ level: 'warn', base: null, timestamp: false }, write) }
}

test('each change that an operator asks for has its line, whatever the level of the log, and no secret', async () => {
  const { lines, log } = keptLog()
  const node = await startAccessNode([], log)
  const { Token, ID } = await node.token('operator')
  const reader = await node.token('reader')
  lines.length = 0
  const jobs = '/api/v1/orchestrator/jobs'
  const job = {
    Job: noopJob({ Name: 'a', Tasks: [{ Name: 'm', Engine: { Type: 'noop' }, Env: { K: 'planted' } }] }),
  }
  assert.equal(await node.status('PUT', jobs, Token, job), 200)
  assert.equal(await node.status('GET', jobs, Token), 200)
  const drain = { Action: 'drain', Message: 'planted' }
  assert.equal(await node.status('PUT', '/api/v1/orchestrator/nodes/n-test?x=planted', Token, drain), 200)
  assert.equal(await node.status('DELETE', `${jobs}/none`, Token), 404)
  assert.equal(await node.status('PUT', jobs, reader.Token, job), 403)
  assert.equal(await node.status('DELETE', `/api/v1/saltcod/tokens/${Token}`, Token), 404)
  const changes = lines.filter(({ msg }) => msg === 'a change was asked for')
  const who = { level: 30, part: 'access', token: ID, role: 'operator', from: '127.0.0.1' }
  const [submitted, ...others] = changes
  assert.ok(submitted !== undefined)
  const { JobID, EvaluationID, ...first } = submitted
  assert.match(String(JobID), /^j-/)
  assert.match(String(EvaluationID), /^v-/)
  const msg = 'a change was asked for'
  assert.deepEqual(first, { ...who, change: `PUT ${jobs}`, status: 200, msg })
  assert.deepEqual(others, [
    { ...who, change: 'PUT /api/v1/orchestrator/nodes/n-test', action: 'drain', status: 200, msg },
    { ...who, change: `DELETE ${jobs}/none`, status: 404, msg },
    { ...who, change: `DELETE /api/v1/saltcod/tokens/saltcod1.${ID}.…`, status: 404, msg },
  ])
  const said = JSON.stringify(lines)
  for (const secret of ['planted', Token, reader.Token]) assert.ok(!said.includes(secret), secret)
})

test('refusals are logged once for each peer and minute', async () => {
  const { lines, log } = keptLog()
  const node = await startAccessNode([], log)
  lines.length = 0
  const ask = (token: string | null): Promise<number> => node.status('GET', '/api/v1/agent/node', token)
  const answers = await Promise.all([null, 'x', `saltcod1.a.${'s'.repeat(43)}`, null].map(ask))
  assert.deepEqual(answers, [401, 401, 401, 401])
  assert.deepEqual(
    lines.map(({ msg, peer }) => [peer, msg.split(';')[0]]),
    [['127.0.0.1', 'refused: this node asks for a token, and none was shown']],
  )
})
