import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { test } from 'vitest'
import { eventually } from '../../../../test/eventually.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import type { LinkAnswer } from '../../src/local-api/local-api.ts'
import type { LocalExecution } from '../../src/local-api/local-execution-routes.ts'
import { closedPort, jobUntil, type Served, saltcod, serveNode } from './binary.ts'

async function get<T>({ url }: Served, path: string): Promise<{ readonly status: number; readonly body: T }> {
  const response = await fetch(`${url}${path}`)
  return { status: response.status, body: (await response.json()) as T }
}

async function standing(node: Served): Promise<string> {
  return (await get<LinkAnswer>(node, '/api/v1/saltcod/link')).body.State
}

async function submit({ url }: Served, script: string): Promise<string> {
  const Params = { Command: 'sh', Arguments: ['-c', script] }
  const Job = {
    Type: 'batch',
    Count: 1,
    Tasks: [
      {
        Name: 'main',
        Engine: { Type: 'exec', Params },
        Publisher: { Type: 'local' },
        ResultPaths: [{ Name: 'out', Path: '/outputs' }],
      },
    ],
  }
  const answer = await fetch(`${url}/api/v1/orchestrator/jobs`, {
    method: 'PUT',
    body: JSON.stringify({ Job }),
  })
  const body = (await answer.json()) as { readonly JobID: string }
  assert.equal(answer.status, 200, JSON.stringify(body))
  return body.JobID
}

function count(text: string, word: string): number {
  return text.split(word).length - 1
}

test('a compute node of its own waits for its requester, works for it, and outlives its death and its return', async () => {
  const port = await closedPort()
  const [home, away] = [temporaryDirectory(), temporaryDirectory()]
  const node = await serveNode(away, [
    ...['--node-type', 'compute', '--orchestrators', `http://127.0.0.1:${port}`, '--allow-exec'],
  ])
  await eventually('it says that it waits', () => node.log().includes('does not answer yet'))
  assert.equal(await standing(node), 'WAITING')
  const stranger = createServer((_, response) => response.writeHead(404).end()).listen(Number(port))
  await eventually('it says what is wrong with what answers there', () =>
    node.log().includes(`what answers at http://127.0.0.1:${port} is no requester`),
  )
  await new Promise((resolve) => {
    stranger.close(resolve)
    stranger.closeAllConnections()
  })
  assert.equal((await get(node, '/api/v1/agent/alive')).status, 200)
  const refused = await saltcod(['job', 'list'], { env: node.env })
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /compute node alone.*\nHint: ask its requester at http:\/\/127\.0\.0\.1:\d+/)

  const start = (): Promise<Served> => serveNode(home, ['--node-type', 'requester', '--port', port])
  const first = await start()
  await eventually('they are connected', async () => (await standing(node)) === 'CONNECTED')
  const gate = join(away, 'gate')
  const runs = join(away, 'runs')
  const slow = await submit(
    first,
    `echo run >> ${runs}; while [ ! -e ${gate} ]; do sleep 0.02; done; echo done; echo result > "$BACALHAU_OUTPUT_DIR/x" || true`,
  )
  await eventually('it runs', () => existsSync(runs))
  await first.end()
  writeFileSync(gate, '')
  await eventually('the end is noted on the node', async () => {
    const { body } = await get<{ readonly Items: readonly LocalExecution[] }>(
      node,
      `/api/v1/saltcod/executions?job_id=${slow}&state=Completed`,
    )
    return body.Items.length === 1
  })
  const second = await start()
  const { Executions } = await jobUntil(second.url, slow, 'Completed')
  assert.deepEqual(
    Executions?.Items.map(({ RunOutput }) => RunOutput?.ExitCode),
    [0],
  )
  assert.equal(readFileSync(runs, 'utf8'), 'run\n')
  const logs = await saltcod(['job', 'logs', slow], { env: second.env })
  assert.equal(logs.stdout, 'done\n')
  const listed = await saltcod(['node', 'list', '--output', 'csv'], { env: second.env })
  assert.match(listed.stdout, /connected/)
  const described = await saltcod(['node', 'describe'], { env: second.env })
  assert.match(described.stdout, /^Version +v\d+\.\d+\.\d+/m)
  const numbers = async ({ url }: Served): Promise<string> => await (await fetch(`${url}/metrics`)).text()
  const [own, known] = [await numbers(node), await numbers(second)]
  assert.match(own, /^saltcod_link_connected 1$/m)
  assert.match(own, /^saltcod_link_reconnects_total 1$/m)
  for (const direction of ['sent', 'received'])
    assert.match(own, new RegExp(`^saltcod_link_bytes_total\\{direction="${direction}"\\} [1-9]`, 'm'))
  assert.match(known, /^saltcod_node_connected\{node="n-[^"]+"\} 1$/m)
  assert.match(known, /^saltcod_node_command_lag_seconds\{node="n-[^"]+"\} [0-9]/m)
  assert.doesNotMatch(known, /^saltcod_(link|runs|images|keeper)/m)
  assert.doesNotMatch(own, /^saltcod_(retention|evaluation|feed|archive|node)/m)
  // Said once for each time that it was away.
  assert.equal(count(node.log(), 'does not answer yet'), 2)
  assert.equal(count(node.log(), 'is not reached'), 1)
  assert.equal(count(node.log(), 'stack'), 0)
  node.signal('SIGTERM')
  assert.equal((await node.exited).code, 0)
})
