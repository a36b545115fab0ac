import assert from 'node:assert/strict'
import type { WireError, WireExecution, WirePage } from '@saltcod/bacalhau-records'
import { test } from 'vitest'
import { WebSocket } from 'ws'
import { noopJob, startTestNode, type TestNode } from '../../node-fixture.ts'

const JOBS = '/api/v1/orchestrator/jobs'

/** Reads the executions of a job page by page; `between` is done after the first page. */
async function pages(
  node: TestNode,
  id: string,
  query: string,
  between?: () => Promise<unknown>,
): Promise<WireExecution[]> {
  const items: WireExecution[] = []
  let token = ''
  do {
    const next = token === '' ? '' : `&next_token=${token}`
    const { status, body } = await node.request<WirePage<WireExecution>>(
      'GET',
      `${JOBS}/${id}/executions?${query}${next}`,
    )
    assert.equal(status, 200, JSON.stringify(body))
    if (items.length === 0) await between?.()
    items.push(...body.Items)
    token = body.NextToken
  } while (token !== '')
  return items
}

/** Opens the log of a job and returns whose it is. */
async function logOf(node: TestNode, id: string, query: string): Promise<unknown> {
  const socket = new WebSocket(`${node.url.replace('http', 'ws')}${JOBS}/${id}/logs?from=&${query}`)
  const [message] = await new Promise<unknown[]>((resolve, reject) => {
    socket.once('message', (data) => resolve([data]))
    socket.once('error', reject)
  })
  socket.close()
  const { error, value } = JSON.parse(String(message))
  return error ?? value.ExecutionID
}

test('executions come page by page in either order, all of them and each once', async () => {
  const node = await startTestNode()
  const id = await node.submit(noopJob({ Name: 'many', Count: 7 }))
  const { Executions } = await node.until(id, 'Completed')
  const all = Executions?.Items.map(({ ID }) => ID) ?? []
  assert.equal(all.length, 7)
  const { status, body } = await node.request<WireError>('GET', `${JOBS}/${all[0]?.slice(0, 10)}`)
  assert.deepEqual([status, body.Message], [404, `job not found: ${all[0]?.slice(0, 10)}`])
  assert.match(body.Hint ?? '', new RegExp(`^it is an execution of the job ${id}: name that`))
  const idsOf = async (query: string): Promise<string[]> => (await pages(node, id, query)).map(({ ID }) => ID)
  assert.deepEqual(await idsOf('limit=3'), all)
  assert.deepEqual(await idsOf('limit=2&reverse=true&order_by=create_time'), all.toReversed())
  for (const order of ['id', 'state', 'modified_at'])
    assert.deepEqual((await idsOf(`limit=4&order_by=${order}`)).toSorted(), all.toSorted(), order)
  assert.deepEqual(await idsOf('limit=1&order_by=id'), all.toSorted())
})

test('a job that is revised between two pages mixes no versions', async () => {
  const node = await startTestNode()
  const id = await node.submit(noopJob({ Name: 'revised', Count: 5 }))
  await node.until(id, 'Completed')
  const revise = async (): Promise<void> => {
    await node.submit(noopJob({ Name: 'revised', Count: 5, Priority: 1 }))
    await node.until(id, 'Completed')
  }
  const first = await pages(node, id, 'limit=2', revise)
  assert.deepEqual([first.length, new Set(first.map(({ JobVersion }) => JobVersion))], [5, new Set([1])])
  assert.equal((await pages(node, id, 'limit=2&all_job_versions=true')).length, 10)
  const foreign = await node.request<WirePage<WireExecution>>('GET', `${JOBS}/${id}/executions?limit=2`)
  const other = await node.submit(noopJob({ Name: 'other' }))
  const refused = await node.request<WireError>(
    'GET',
    `${JOBS}/${other}/executions?next_token=${foreign.body.NextToken}`,
  )
  assert.equal(refused.status, 400, refused.body.Message)
})

test('a log is that of the execution that is asked for, by its id or the beginning of it, or of the newest', async () => {
  const node = await startTestNode()
  const id = await node.submit(noopJob({ Name: 'logged', Count: 3 }))
  const { Executions } = await node.until(id, 'Completed')
  const items = Executions?.Items ?? []
  for (const { ID } of items) {
    assert.equal(await logOf(node, id, `execution_id=${ID}`), ID)
    assert.equal(await logOf(node, id, `execution_id=${ID.slice(0, 20)}`), ID)
  }
  const whole = (await pages(node, id, 'order_by=modified_at&reverse=true'))[0]
  const chosen = items.find(({ ID }) => ID === whole?.ID)
  const newest = items.filter(({ ModifyTime }) => ModifyTime === chosen?.ModifyTime).map(({ ID }) => ID)
  assert.ok(newest.includes(String(await logOf(node, id, ''))))
  const other = await node.submit(noopJob({ Name: 'other' }))
  assert.match(String(await logOf(node, other, `execution_id=${items[0]?.ID}`)), /unable to find execution/)
})
