/** Why a server is not the one that is meant, and what helps. */
export interface Distrust {
  readonly reason: string
  readonly hint: string
  /** What helps a compute node that does not trust its requester. */
  readonly nodeHint: string
  /** Nobody here knows who made its certificate. */
  readonly isOfOthers?: boolean
}

const OF_OTHERS: Distrust = {
  reason: 'its certificate is of an authority that is not trusted here',
  hint: 'on the machine of the node, `saltcod tls authority` prints the one that it has made itself: bring that here in a file, and name it with --cacert; if this was trusted before, another node or somebody else answers there',
  nodeHint:
    'join it by a token (saltcod token create --role node there, --join-token here), or name its authority with --cacert; if this node had joined, another requester or somebody else answers there',
  isOfOthers: true,
}
const NO_TLS: Distrust = {
  reason: 'it does not speak TLS',
  hint: 'start the node with --tls auto, or ask it without --use-tls and --cacert; nothing is said to it unencrypted by itself',
  nodeHint: 'start the requester with --tls auto, or name it by http:// where it is on this machine',
}

const WORDS: Readonly<Record<string, Distrust>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: OF_OTHERS,
  SELF_SIGNED_CERT_IN_CHAIN: OF_OTHERS,
  UNABLE_TO_GET_ISSUER_CERT: OF_OTHERS,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: OF_OTHERS,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: OF_OTHERS,
  CERT_UNTRUSTED: OF_OTHERS,
  CERT_SIGNATURE_FAILURE: OF_OTHERS,
  INVALID_CA: OF_OTHERS,
  INVALID_PURPOSE: OF_OTHERS,
  CERT_HAS_EXPIRED: {
    reason: 'its certificate has ended',
    hint: 'see the log of the node for why it was not replaced, and compare the clocks of both machines',
    nodeHint: 'see the log of the requester, and compare the clocks of both machines',
  },
  CERT_NOT_YET_VALID: {
    reason: 'its certificate is not good yet',
    hint: 'compare the clocks of both machines',
    nodeHint: 'compare the clocks of both machines',
  },
  EPROTO: NO_TLS,
  ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NO_TLS,
  ERR_SSL_UNSUPPORTED_PROTOCOL: {
    reason: 'it speaks no TLS of version 1.2 or newer',
    hint: 'see what answers there: no node of this program does so',
    nodeHint: 'see what answers there: no requester of this program does so',
  },
}

/** Says why a connection was not trusted; `null` for an error that is none of trust. */
export function distrustOf(error: unknown): Distrust | null {
  if (!(error instanceof Error) || !('code' in error)) return null
  if (error.code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const names = /altnames?: (.*)$/i.exec(error.message)?.[1]
    return {
      reason: `its certificate is for other names than the one it is called by${names === undefined ? '' : `: ${names.slice(0, 400)}`}`,
      hint: 'call it by one of them, or start the node with --tls-name NAME',
      nodeHint: 'call it by one of them, or start the requester with --tls-name NAME',
    }
  }
  return WORDS[String(error.code)] ?? null
}
