import { MessageChannel } from 'node:worker_threads'
import type { Link } from './link.ts'
import { PortEndpoint } from './port-endpoint.ts'
import { PortLink } from './port-link.ts'

/** A link between both sides of one process. */
export interface InProcessLink {
  /** The node's end. */
  readonly link: Link
  /** Ends it. It keeps the process alive until then. */
  close(): void
}

/** Leads to a requester's end by a port, so that what passes is copied and nothing else can pass. */
export function linkInProcess(endpoint: Link): InProcessLink {
  const { port1, port2 } = new MessageChannel()
  const served = new PortEndpoint(endpoint, port1)
  const link = new PortLink(port2)
  return {
    link,
    close() {
      link.close()
      served.close()
    },
  }
}
