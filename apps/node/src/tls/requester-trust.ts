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
  /** Whether the node has a token to join by. */
  readonly hasToken: boolean
  readonly log: Logger
}

const NAMELESS_TOKEN =
  'the token to join with names no authority: either it is of another role (an operator makes one with saltcod token create --role node on the requester), or the certificate of the requester is from elsewhere, and its authority is to be named with --cacert'

/**
 * Tells what has to prove a requester: the authority that the token names, those of `--cacert`, the one that was known
 * by an earlier token, or those of the system; the first that there is, and no other. Throws a `Failure` where the
 * file of the authorities cannot be used.
 */
export function requesterTrust({
  config,
  nodeId,
  fingerprint,
  hasToken,
  log,
}: RequesterTrustOptions): LinkTrust {
  const path = pinnedPath(config.dataDir, nodeId)
  const { caFile } = config.api.tls
  if (fingerprint === null && caFile !== undefined) return fixedTrust(trustIn(caFile))
  const known = fingerprint ?? pinnedFingerprint(path)
  if (known === null) return fixedTrust(TRUST_OF_SYSTEM, hasToken ? NAMELESS_TOKEN : undefined)
  return new PinnedTrust({ fingerprint: known, path, log })
}
