import type { Needed } from './role.ts'

/**
 * What each route asks of its caller. A route that is not listed cannot be added: the node would not start. `anyone`
 * has what tells whether a node lives and how to prove oneself to it, and results, whose addresses are secrets.
 */
export const ROUTE_ACCESS: Readonly<Record<string, Needed>> = {
  // How a client finds out whom it speaks to, and how it proves itself; Bacalhau leaves the same open.
  'GET /': 'anyone',
  'GET /version': 'anyone',
  'GET /api/v1/agent/alive': 'anyone',
  'GET /api/v1/agent/version': 'anyone',
  'POST /api/v1/version': 'anyone',
  'GET /api/v1/agent/authconfig': 'anyone',
  'GET /api/v1/auth': 'anyone',
  'GET /api/v1/auth/:name': 'anyone',
  'POST /api/v1/auth/:name': 'anyone',
  'GET /livez': 'anyone',
  'GET /api/v1/livez': 'anyone',
  // The address is signed, and ends.
  'GET /api/v1/saltcod/results/:file': 'anyone',
  'HEAD /api/v1/saltcod/results/:file': 'anyone',

  'GET /healthz': 'reader',
  'GET /api/v1/healthz': 'reader',
  'GET /id': 'reader',
  'GET /api/v1/id': 'reader',
  'GET /metrics': 'reader',
  'GET /api/v1/metrics': 'reader',
  'GET /api/v1/agent/config': 'reader',
  'GET /api/v1/agent/node': 'reader',
  'GET /api/v1/agent/debug': 'reader',
  'GET /api/v1/node_info': 'reader',
  'GET /api/v1/orchestrator/nodes': 'reader',
  'GET /api/v1/orchestrator/nodes/:id': 'reader',
  'GET /api/v1/orchestrator/jobs': 'reader',
  'GET /api/v1/orchestrator/jobs/:id': 'reader',
  'GET /api/v1/orchestrator/jobs/:id/executions': 'reader',
  'GET /api/v1/orchestrator/jobs/:id/history': 'reader',
  'GET /api/v1/orchestrator/jobs/:id/results': 'reader',
  'GET /api/v1/orchestrator/jobs/:id/versions': 'reader',
  'GET /api/v1/orchestrator/jobs/:id/logs': 'reader',
  'GET /api/v1/saltcod/archive': 'reader',
  'GET /api/v1/saltcod/archive/:id': 'reader',
  'GET /api/v1/saltcod/compact': 'reader',
  'GET /api/v1/saltcod/executions': 'reader',
  'GET /api/v1/saltcod/executions/:id': 'reader',
  'GET /api/v1/saltcod/link': 'reader',
  'GET /api/v1/saltcod/why/:id': 'reader',
  // Says what a submit would change, and changes nothing.
  'PUT /api/v1/orchestrator/jobs/diff': 'reader',

  'PUT /api/v1/orchestrator/jobs': 'operator',
  'POST /api/v1/orchestrator/jobs': 'operator',
  'DELETE /api/v1/orchestrator/jobs/:id': 'operator',
  'PUT /api/v1/orchestrator/jobs/:id/rerun': 'operator',
  'PUT /api/v1/orchestrator/nodes/:id': 'operator',
  'POST /api/v1/saltcod/archive/:id/restore': 'operator',
  'POST /api/v1/saltcod/compact': 'operator',
  'DELETE /api/v1/saltcod/compact': 'operator',
  'POST /api/v1/saltcod/gc': 'operator',
  'POST /api/v1/saltcod/jobs/:id/hold': 'operator',
  'POST /api/v1/saltcod/jobs/:id/release': 'operator',
  'GET /api/v1/saltcod/tokens': 'operator',
  'POST /api/v1/saltcod/tokens': 'operator',
  'DELETE /api/v1/saltcod/tokens/:id': 'operator',
}

/** Returns what a route asks of its caller. Throws a `TypeError` where nobody has decided that. */
export function accessOf(method: string, url: string): Needed {
  const needed = ROUTE_ACCESS[`${method} ${url}`]
  if (needed === undefined)
    throw new TypeError(`nobody has decided who may call ${method} ${url}: see access/route-access.ts`)
  return needed
}
