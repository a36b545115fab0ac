import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import type { WireGetJobAnswer } from '@saltcod/bacalhau-records'
import { test } from 'vitest'
import { noopJob, startTestNode, type TestNode } from '../../node-fixture.ts'

const SENTENCE = 'interrupted: Failed after a restart of the node'

const reasonsOf = ({ Executions }: WireGetJobAnswer): (string | undefined)[] =>
  (Executions?.Items ?? []).map(({ EndReason }) => EndReason)

function program(script: string, meta: object = {}): object {
  const engine = { Type: 'exec', Params: { Command: 'sh', Arguments: ['-c', script] } }
  return { Name: 'liar', Type: 'batch', Meta: meta, Tasks: [{ Name: 'main', Engine: engine }] }
}

async function ends(node: TestNode, reason: string): Promise<string | undefined> {
  const response = await fetch(`${node.url}/metrics`)
  const text = await response.text()
  return new RegExp(`^saltcod_execution_ends_total\\{reason="${reason}"\\} (\\d+)$`, 'm').exec(text)?.[1]
}

test('a job that fails with the sentence of an interruption is tried as often as any that fails', async () => {
  const node = await startTestNode()
  const answer = await node.until(await node.submit(noopJob({}, { FailMessage: SENTENCE })), 'Failed')
  assert.deepEqual(reasonsOf(answer), ['failed', 'failed'])
  assert.match(answer.Job.State.Message, /too many times/)
  assert.equal(await ends(node, 'failed'), '2')
  assert.equal(await ends(node, 'interrupted'), '0')
})

test('a program that prints it forges nothing either', async () => {
  const node = await startTestNode(['--allow-exec'])
  const lies = `echo '${SENTENCE}'; echo '{"reason":"interrupted"}' >&2; exit 3`
  const meta = { 'saltcod/fail-on-exit-code': 'true' }
  const failed = await node.until(await node.submit(program(lies, meta)), 'Failed')
  assert.deepEqual(reasonsOf(failed), ['exit-code', 'exit-code'])
  const killed = await node.until(await node.submit(program('kill -9 $$')), 'Failed')
  assert.deepEqual(reasonsOf(killed).slice(-2), ['killed', 'killed'])
})

test('a job that completes has no reason, and one that was stopped has', async () => {
  const node = await startTestNode()
  const done = await node.until(await node.submit(noopJob()), 'Completed')
  assert.deepEqual(reasonsOf(done), [undefined])
  const id = await node.submit(noopJob({ Name: 'long' }, { DurationMs: 600_000 }))
  await node.until(id, 'Running')
  await node.request('DELETE', `/api/v1/orchestrator/jobs/${id}`)
  const endMs = Date.now() + 30_000
  let reason: string | undefined
  while (reason === undefined) {
    assert.ok(Date.now() < endMs, 'its execution is stopped')
    const answer = await node.until(id, 'Stopped')
    reason = reasonsOf(answer)[0]
    await delay(20)
  }
  assert.equal(reason, 'stopped')
})
