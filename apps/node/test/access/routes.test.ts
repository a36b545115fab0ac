import assert from 'node:assert/strict'
import { expect, onTestFinished, test, vi } from 'vitest'
import { accessOf, ROUTE_ACCESS } from '../../src/access/route-access.ts'
import { KnownPaths } from '../../src/requester/api/known-paths.ts'
import { archiveFlags } from '../node-fixture.ts'
import { startAccessNode } from './access-node.ts'

/** Notes the routes that nodes add. */
function watchRoutes(): Set<string> {
  const routes = new Set<string>()
  const add = KnownPaths.prototype.add
  vi.spyOn(KnownPaths.prototype, 'add').mockImplementation(function (this: KnownPaths, path, methods) {
    for (const method of methods) routes.add(`${method} ${path}`)
    add.call(this, path, methods)
  })
  onTestFinished(() => {
    vi.restoreAllMocks()
  })
  return routes
}

test('every route of both roles asks for what the table says, and the table has no others', async () => {
  const routes = watchRoutes()
  const requester = await startAccessNode(archiveFlags())
  const own = new Set(routes)
  routes.clear()
  const compute = await startAccessNode(['--node-type', 'compute', '--orchestrators', 'http://127.0.0.1:9'])
  assert.deepEqual([...new Set([...own, ...routes])].sort(), Object.keys(ROUTE_ACCESS).sort())
  for (const [node, known] of [
    [requester, own],
    [compute, routes],
  ] as const) {
    const reader = (await node.token('reader')).Token
    const join = (await node.token('node')).Token
    const wrong: string[] = []
    const say = async (route: string, token: string | null): Promise<number> => {
      const [method = '', path = ''] = route.split(' ')
      return await node.status(method, path.replaceAll(/:\w+/g, 'x'), token)
    }
    const judge = async (route: string): Promise<void> => {
      const needed = ROUTE_ACCESS[route]
      if (needed === 'anyone') {
        // What is asked for is not there, or is redirected to; but it is not the token that is missing.
        const status = await say(route, null)
        if (status === 401) wrong.push(`${route} is open: ${status}`)
        return
      }
      const answers = [null, `${reader}x`, join, reader].map((token) => say(route, token))
      const [without = 0, unknown = 0, asNode = 0, asReader = 0] = await Promise.all(answers)
      if (without !== 401 || unknown !== 401) wrong.push(`${route} without a token: ${without}, ${unknown}`)
      if (asNode !== 403) wrong.push(`${route} with the token of a node: ${asNode}`)
      if ((asReader === 403) !== (needed === 'operator')) wrong.push(`${route} as a reader: ${asReader}`)
    }
    await Promise.all([...known].map(judge))
    assert.deepEqual(wrong, [])
    // What is there is told to nobody who may not read.
    assert.equal(await say('GET /nonsense', null), 401)
    assert.equal(await say('GET /nonsense', reader), 404)
    assert.equal(await say('PATCH /api/v1/agent/alive', null), 401)
  }
})

test('a route of which nobody has decided who may call it cannot be added', () => {
  expect(() => accessOf('GET', '/api/v1/saltcod/new')).toThrow(/nobody has decided who may call/)
})

test('what needs an operator does, and nothing that changes something is left to readers', () => {
  const changes = Object.entries(ROUTE_ACCESS).filter(
    ([route, needed]) => !/^(?:GET|HEAD) /.test(route) && needed !== 'operator',
  )
  assert.deepEqual(changes, [
    ['POST /api/v1/version', 'anyone'],
    ['POST /api/v1/auth/:name', 'anyone'],
    ['PUT /api/v1/orchestrator/jobs/diff', 'reader'],
  ])
})
