import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { MessageChannel } from 'node:worker_threads'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { createHttpEndpoint, httpLinkHandler } from '../../src/link/http-endpoint.ts'
import { HttpLink } from '../../src/link/http-link.ts'
import { linkInProcess } from '../../src/link/in-process.ts'
import type { Link } from '../../src/link/link.ts'
import { PortEndpoint } from '../../src/link/port-endpoint.ts'
import { PortLink } from '../../src/link/port-link.ts'
import { answerClientError } from '../../src/requester/api/client-error.ts'
import { connectionLimits } from '../../src/requester/api/connection-limits.ts'
import { Connections } from '../../src/requester/api/connections.ts'
import { linkGuard } from '../../src/requester/api/link-guard.ts'
import { Listeners } from '../../src/requester/api/listeners.ts'
import { authorityOf, autoCertificate, listenSecurely, pinnedTrust } from '../tls/secure-listeners.ts'

/** Both ends of a link, joined. */
export interface Joined {
  /** The node's end. */
  readonly link: Link
  /** So many chunks of 64 KiB may be on their way. */
  readonly ahead: number
  /** The node is gone without a word. */
  readonly loseNode: () => void
  /** The requester is gone without a word. */
  readonly loseRequester: () => void
}

/** What the kernel takes of a connection that nobody reads. */
const KERNEL_CHUNKS = 256

/** Serves a link as a requester does, on the port of its API. */
async function listening(endpoint: Link): Promise<{
  readonly listeners: Listeners
  readonly port: number
  readonly close: () => void
}> {
  const listeners = new Listeners(new Connections(connectionLimits(null, 10), 1_000))
  listeners.serveLink(httpLinkHandler(endpoint, linkGuard(false)))
  const server = listeners.create((_request, response) => {
    response.writeHead(404).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  server.on('clientError', (error, socket) => answerClientError(error, socket, false))
  const { port } = server.address() as AddressInfo
  const close = (): void => {
    server.close()
    void listeners.close()
  }
  return { listeners, port, close }
}

/** Every way in which a link leads from one side to the other. */
export const TRANSPORTS: Readonly<Record<string, (endpoint: Link) => Joined | Promise<Joined>>> = {
  'in process': (endpoint) => {
    const { link, close } = linkInProcess(endpoint)
    return { link, ahead: 8, loseNode: close, loseRequester: close }
  },
  'over a port': (endpoint) => {
    const { port1, port2 } = new MessageChannel()
    const served = new PortEndpoint(endpoint, port1)
    const link = new PortLink(port2)
    return { link, ahead: 8, loseNode: () => link.close(), loseRequester: () => served.close() }
  },
  'over HTTP': async (endpoint) => {
    const server = createHttpEndpoint(endpoint)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const link = new HttpLink([`http://127.0.0.1:${(server.address() as AddressInfo).port}`])
    const loseRequester = (): void => {
      server.close()
      server.closeAllConnections()
    }
    return { link, ahead: KERNEL_CHUNKS, loseNode: () => link.close(), loseRequester }
  },
  'on the port of an API': async (endpoint) => {
    const { port, close } = await listening(endpoint)
    const link = new HttpLink([`http://127.0.0.1:${port}`])
    return { link, ahead: KERNEL_CHUNKS, loseNode: () => link.close(), loseRequester: close }
  },
  'over TLS, with the authority that it joined by': async (endpoint) => {
    const tls = await autoCertificate(temporaryDirectory())
    const { url, close } = await listenSecurely(tls, { link: endpoint })
    const link = new HttpLink([url], { trust: pinnedTrust(authorityOf(tls)) })
    return { link, ahead: KERNEL_CHUNKS, loseNode: () => link.close(), loseRequester: close }
  },
  'over a Unix socket, where the first way leads nowhere': async (endpoint) => {
    const { listeners, close } = await listening(endpoint)
    const path = join(temporaryDirectory(), 'api.sock')
    await listeners.listenOnSocket(path)
    const link = new HttpLink(['unix:/nowhere/api.sock', `unix:${path}`])
    // It keeps to the way that leads to the requester from here on.
    await link
      .demands({ nodeId: 'n-1', afterNumber: 0, waitMs: 0 }, new AbortController().signal)
      .catch(() => undefined)
    return { link, ahead: KERNEL_CHUNKS, loseNode: () => link.close(), loseRequester: close }
  },
}
