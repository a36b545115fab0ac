import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ConnectionOptions, connect, type DetailedPeerCertificate } from 'node:tls'
import { writeKeptFile } from '@saltcod/config'
import type { Logger } from 'pino'
import { LINK_LIMITS } from '../link/limits.ts'
import { LinkError } from '../link/link-error.ts'
import type { LinkPlace, LinkTrust } from '../link/link-trust.ts'
import { TLS_DIRECTORY_NAME } from './authority.ts'
import { fingerprintOf } from './fingerprint.ts'
import { trustOnly } from './trust.ts'

/** How a compute node knows its requester. */
export interface PinnedTrustOptions {
  /** Of the key of the requester's authority. */
  readonly fingerprint: string
  /** Where the certificate of that authority is kept. */
  readonly path: string
  readonly log: Logger
}

/** Returns where a compute node keeps the certificate of its requester's authority. */
export function pinnedPath(repository: string, nodeId: string): string {
  return join(repository, TLS_DIRECTORY_NAME, `${nodeId}-requester.pem`)
}

/** Returns the fingerprint of the authority whose certificate a node keeps; `null` where it keeps none. */
export function pinnedFingerprint(path: string): string | null {
  return readPinned(path)?.fingerprint ?? null
}

/**
 * Trusts one authority by the fingerprint of its key, for ever, at whatever address, and nothing else. Its certificate
 * comes with the first connection, on which nothing is said but the handshake, and with another one where the one that
 * is known proves nothing any more: it may have been made anew with the same key.
 */
export class PinnedTrust implements LinkTrust {
  readonly #options: PinnedTrustOptions
  #known: ConnectionOptions | null = null

  constructor(options: PinnedTrustOptions) {
    this.#options = options
    const kept = readPinned(options.path)
    if (kept?.fingerprint === options.fingerprint) this.#known = trustOnly(kept.certificate)
  }

  async proofAt(place: LinkPlace): Promise<ConnectionOptions> {
    if (this.#known !== null) return this.#known
    const { fingerprint, log, path } = this.#options
    const shown = await chainAt(place)
    const authority = shown.find(
      (certificate) => certificate.ca && fingerprintOf(certificate.publicKey) === fingerprint,
    )
    if (authority === undefined)
      throw new LinkError(
        'LINK_UNTRUSTED',
        `what answers at ${place.host}:${place.port} does not prove that it is the requester that this node joined: none of its certificates is of the authority ${fingerprint}; if the requester has a new authority on purpose, join it again with a new token`,
      )
    const certificate = authority.toString()
    try {
      writeKeptFile(path, certificate)
    } catch (error) {
      log.warn({ err: error, path }, "the certificate of the requester's authority cannot be kept")
    }
    log.info(
      { fingerprint, requester: `${place.host}:${place.port}` },
      'the requester is known by its authority',
    )
    this.#known = trustOnly(certificate)
    return this.#known
  }

  failed(): void {
    this.#known = null
  }
}

function readPinned(path: string): { readonly certificate: string; readonly fingerprint: string } | null {
  try {
    const certificate = readFileSync(path, 'latin1')
    return { certificate, fingerprint: fingerprintOf(new X509Certificate(certificate).publicKey) }
  } catch {
    // What is not there, or is none, is fetched and compared with the fingerprint.
    return null
  }
}

/** Shakes hands alone, and returns all certificates that a server shows. Whether they prove anything is not known. */
async function chainAt({ host, port }: LinkPlace): Promise<X509Certificate[]> {
  const socket = connect({ host, port: Number(port), rejectUnauthorized: false, minVersion: 'TLSv1.2' })
  try {
    await once(socket, 'secureConnect', { signal: AbortSignal.timeout(LINK_LIMITS.answerMs) })
    const found: X509Certificate[] = []
    let next: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true)
    // The last one vouches for itself.
    for (let last: DetailedPeerCertificate | undefined; next !== undefined && next !== last; ) {
      if (next.raw !== undefined) found.push(new X509Certificate(next.raw))
      last = next
      next = next.issuerCertificate
    }
    return found
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new LinkError('LINK_CLOSED', `the requester at https://${host}:${port} was not reached: ${reason}`)
  } finally {
    socket.destroy()
  }
}
