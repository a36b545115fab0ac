import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Logger, pino } from 'pino'
import type { Role } from '../../src/access/role.ts'
import type { NewTokenAnswer } from '../../src/access/token-answer.ts'
import { startTestNode, type TestNode } from '../node-fixture.ts'

/** A node that asks for tokens, and what makes some. */
export interface AccessNode extends TestNode {
  /** The token that the repository keeps for the local command line. */
  readonly operator: string
  /** Makes a token. */
  token(role: Role, expiresInMs?: number): Promise<NewTokenAnswer>
  /** Asks with a token; with `null` without any. Returns the status. */
  status(method: string, path: string, token: string | null, body?: unknown): Promise<number>
}

/** The header that shows a token. */
export function bearer(token: string): { readonly authorization: string } {
  return { authorization: `Bearer ${token}` }
}

/** Starts a node on a loopback address that asks for tokens. */
export async function startAccessNode(
  flags: readonly string[] = [],
  log: Logger = pino({ level: 'silent' }),
  options: Parameters<typeof startTestNode>[2] = {},
): Promise<AccessNode> {
  const node = await startTestNode(['--require-tokens', ...flags], log, options)
  const operator = readFileSync(join(node.directory, 'operator-token'), 'utf8').trim()
  return {
    ...node,
    operator,
    async token(role, expiresInMs) {
      const { status, body } = await node.request<NewTokenAnswer>(
        'POST',
        '/api/v1/saltcod/tokens',
        { Role: role, ...(expiresInMs === undefined ? {} : { ExpiresInMs: expiresInMs }) },
        bearer(operator),
      )
      assert.equal(status, 200, JSON.stringify(body))
      return body
    },
    async status(method, path, token, body) {
      const answer = await fetch(`${node.url}${path}`, {
        method,
        redirect: 'manual',
        headers: token === null ? {} : bearer(token),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      await answer.arrayBuffer()
      return answer.status
    },
  }
}
