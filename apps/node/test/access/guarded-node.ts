import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ConnectionOptions } from 'node:tls'
import type { Role } from '../../src/access/role.ts'
import type { NewTokenAnswer } from '../../src/access/token-answer.ts'
import { ApiClient } from '../../src/client/api-client.ts'
import { trustOnly } from '../../src/tls/trust.ts'
import { type Served, serveNode } from '../cli/binary.ts'

/** A node as a process, as it is on a network: with TLS, and asking for tokens. */
export interface GuardedNode extends Served {
  /** What trusts it, and nothing else. */
  readonly secure: ConnectionOptions
  /** The token that its repository keeps. */
  readonly operator: string
  readonly client: ApiClient
  /** Makes a token. */
  token(role: Role, expiresInMs?: number): Promise<NewTokenAnswer>
  /** Speaks to it with a token. */
  clientWith(token: string): ApiClient
}

/** Serves a node with an authority of its own that asks for tokens; it ends with the test. */
export async function serveGuarded(
  directory: string,
  flags: readonly string[] = [],
  serve: typeof serveNode = serveNode,
): Promise<GuardedNode> {
  const node = await serve(directory, ['--tls', 'auto', '--require-tokens', ...flags])
  const operator = readFileSync(join(directory, 'operator-token'), 'utf8').trim()
  const secure = trustOnly(readFileSync(join(directory, 'tls/authority-cert.pem'), 'latin1'))
  const clientWith = (token: string): ApiClient =>
    new ApiClient({ base: node.url, secure, authorization: `Bearer ${token}` })
  const client = clientWith(operator)
  return {
    ...node,
    secure,
    operator,
    client,
    clientWith,
    token: (Role, ExpiresInMs) => client.createToken({ Role, Note: '', ExpiresInMs }),
  }
}
