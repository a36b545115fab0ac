import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { pino } from 'pino'
import { onTestFinished } from 'vitest'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { httpLinkHandler } from '../../src/link/http-endpoint.ts'
import type { Link } from '../../src/link/link.ts'
import { answerClientError } from '../../src/requester/api/client-error.ts'
import { type ConnectionLimits, connectionLimits } from '../../src/requester/api/connection-limits.ts'
import { Connections } from '../../src/requester/api/connections.ts'
import { Listeners } from '../../src/requester/api/listeners.ts'
import { AutoCertificate, type AutoCertificateOptions } from '../../src/tls/auto-certificate.ts'
import { fingerprintOf } from '../../src/tls/fingerprint.ts'
import { PinnedTrust } from '../../src/tls/pinned-trust.ts'
import type { ServerTls } from '../../src/tls/server-tls.ts'

/** A log that says nothing. */
const SILENT: pino.Logger = pino({ level: 'silent' })

/** Makes certificates of an authority that lies in a repository, until the test is over. */
export async function autoCertificate(
  repository: string,
  options: Partial<AutoCertificateOptions> = {},
): Promise<AutoCertificate> {
  const tls = await AutoCertificate.open({
    ...{ repository, names: [], lifeMs: 90 * 86_400_000, clock: Date.now, log: SILENT },
    ...options,
  })
  onTestFinished(() => tls.close())
  return tls
}

/** Returns the fingerprint of the authority of a certificate. */
export function authorityOf({ proof }: ServerTls): string {
  return fingerprintOf(new X509Certificate(proof).publicKey)
}

/** Trusts a requester by the fingerprint of its authority, whose certificate is kept at a path. */
export function pinnedTrust(
  fingerprint: string,
  path: string = join(temporaryDirectory(), 'requester.pem'),
): PinnedTrust {
  return new PinnedTrust({ fingerprint, path, log: SILENT })
}

/** Listeners on one port, as a node has them. */
export interface SecureListeners {
  readonly url: string
  readonly port: number
  readonly connections: Connections
  readonly close: () => void
}

/** Listens with TLS for the link, and for what else is asked, until the test is over. */
export async function listenSecurely(
  tls: ServerTls,
  {
    link,
    answer = (_request, response) => void response.end('answered'),
    limits = {},
    port: wanted = 0,
    handshakeMs,
  }: {
    readonly link?: Link
    readonly answer?: RequestListener
    readonly limits?: Partial<ConnectionLimits>
    readonly port?: number
    readonly handshakeMs?: number
  } = {},
): Promise<SecureListeners> {
  const connections = new Connections({ ...connectionLimits(null, 10), ...limits }, 1_000)
  const listeners = new Listeners(connections, tls, handshakeMs)
  if (link !== undefined) listeners.serveLink(httpLinkHandler(link))
  const server = listeners.create(answer)
  server.on('clientError', (error, socket) =>
    answerClientError(error, socket, connections.isAnswering(socket)),
  )
  server.listen(wanted, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const close = (): void => {
    server.close()
    void listeners.close()
  }
  onTestFinished(close)
  return { url: `https://127.0.0.1:${port}`, port, connections, close }
}
