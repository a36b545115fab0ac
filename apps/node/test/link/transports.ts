import { MessageChannel } from 'node:worker_threads'
import { linkInProcess } from '../../src/link/in-process.ts'
import type { Link } from '../../src/link/link.ts'
import { PortEndpoint } from '../../src/link/port-endpoint.ts'
import { PortLink } from '../../src/link/port-link.ts'

/** Both ends of a link, joined. */
export interface Joined {
  /** The node's end. */
  readonly link: Link
  /** The node is gone without a word. */
  readonly loseNode: () => void
  /** The requester is gone without a word. */
  readonly loseRequester: () => void
}

/** Every way in which a link leads from one side to the other. */
export const TRANSPORTS: Readonly<Record<string, (endpoint: Link) => Joined>> = {
  'in process': (endpoint) => {
    const { link, close } = linkInProcess(endpoint)
    return { link, loseNode: close, loseRequester: close }
  },
  'over a port': (endpoint) => {
    const { port1, port2 } = new MessageChannel()
    const served = new PortEndpoint(endpoint, port1)
    const link = new PortLink(port2)
    return { link, loseNode: () => link.close(), loseRequester: () => served.close() }
  },
}
