import type { Config } from '@saltcod/config'
import type { Logger } from 'pino'
import { fixedTrust, type LinkTrust } from '../link/link-trust.ts'
import { PinnedTrust, pinnedFingerprint, pinnedPath } from './pinned-trust.ts'
import { TRUST_OF_SYSTEM, trustIn } from './trust.ts'

/** What a compute node knows of its requester. */
export interface RequesterTrustOptions {
  readonly config: Pick<Config, 'api' | 'dataDir'>
  readonly nodeId: string
  /**
   * Of the key of the requester's authority, as the token by which the node joins has it; `null` where it has none.
   */
  readonly fingerprint: string | null
  readonly log: Logger
}

/**
 * Tells what has to prove a requester: the authority that the token names, those of `--cacert`, the one that was known
 * by an earlier token, or those of the system; the first that there is, and no other. Throws a `Failure` where the
 * file of the authorities cannot be used.
 */
export function requesterTrust({ config, nodeId, fingerprint, log }: RequesterTrustOptions): LinkTrust {
  const path = pinnedPath(config.dataDir, nodeId)
  const { caFile } = config.api.tls
  if (fingerprint === null && caFile !== undefined) return fixedTrust(trustIn(caFile))
  const known = fingerprint ?? pinnedFingerprint(path)
  return known === null ? fixedTrust(TRUST_OF_SYSTEM) : new PinnedTrust({ fingerprint: known, path, log })
}
