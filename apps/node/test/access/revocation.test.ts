import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'vitest'
import { startAccessNode } from './access-node.ts'

test('a token ends also where the command line of the node gets no other in its place', async () => {
  const node = await startAccessNode()
  const other = await node.token('operator')
  const path = join(node.directory, 'operator-token')
  const [, id] = readFileSync(path, 'utf8').split('.')
  rmSync(path)
  mkdirSync(join(path, 'full'), { recursive: true })
  assert.equal(await node.status('DELETE', `/api/v1/saltcod/tokens/${id}`, other.Token), 200)
  assert.equal(await node.status('GET', '/api/v1/saltcod/tokens', node.operator), 401)
  // The next one makes what is missing.
  rmSync(path, { recursive: true })
  assert.equal(await node.status('DELETE', `/api/v1/saltcod/tokens/${id}`, other.Token), 200)
  const made = readFileSync(path, 'utf8').trim()
  assert.equal(await node.status('GET', '/api/v1/saltcod/tokens', made), 200)
})
