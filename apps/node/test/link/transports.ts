import type { AddressInfo } from 'node:net'
import { MessageChannel } from 'node:worker_threads'
import { createHttpEndpoint } from '../../src/link/http-endpoint.ts'
import { HttpLink } from '../../src/link/http-link.ts'
import { linkInProcess } from '../../src/link/in-process.ts'
import type { Link } from '../../src/link/link.ts'
import { PortEndpoint } from '../../src/link/port-endpoint.ts'
import { PortLink } from '../../src/link/port-link.ts'

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
    const link = new HttpLink(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    const loseRequester = (): void => {
      server.close()
      server.closeAllConnections()
    }
    // What the kernel takes of a connection that nobody reads.
    return { link, ahead: 256, loseNode: () => link.close(), loseRequester }
  },
}
