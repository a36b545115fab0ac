import { type Config, tlsModeOf } from '@saltcod/config'
import type { NodeAddress } from '../client/node-address.ts'
import { findServedNote } from '../tls/served-note.ts'
import { TRUST_OF_SYSTEM, trustIn, trustOnly } from '../tls/trust.ts'

const ANYWHERE: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' }

/**
 * Tells where the node is that a configuration names, and what has to prove it: of the authorities that are told, of
 * the repository's own node, or of the system, the first that there is, and no other. Throws a `Failure` where the
 * file of the authorities cannot be used.
 */
export function addressOf({ api, dataDir }: Pick<Config, 'api' | 'dataDir'>): NodeAddress {
  const { port, tls } = api
  const host = ANYWHERE[api.host] ?? api.host
  const own = findServedNote(dataDir, host, port)
  const isSecure = tls.use ?? (tls.caFile !== undefined || own !== null || tlsModeOf(tls) !== 'off')
  const base = `${isSecure ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`
  if (!isSecure) return { base }
  if (tls.caFile !== undefined) return { base, secure: trustIn(tls.caFile) }
  return { base, secure: own === null ? TRUST_OF_SYSTEM : trustOnly(own.proof) }
}
