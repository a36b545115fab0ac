import { constants } from 'node:crypto'
import type { SecureContextOptions } from 'node:tls'
import type { ServerTls } from '../../tls/server-tls.ts'

/** So long a client may take to shake hands. */
export const HANDSHAKE_MS = 10_000

/** Returns what a server speaks TLS with. Whatever Node.js is told otherwise, nothing before TLS 1.2. */
export function secureOptionsOf({ current }: ServerTls): SecureContextOptions {
  return {
    ...current,
    minVersion: 'TLSv1.2',
    // A new handshake on a connection costs the server more than the client, and nobody needs one.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  }
}
