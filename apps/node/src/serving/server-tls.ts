import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { ExpiryWatch } from '../tls/expiry-watch.ts'
import { openServerTls } from '../tls/open-server-tls.ts'
import { writeServedNote } from '../tls/served-note.ts'
import type { ServerTls } from '../tls/server-tls.ts'
import type { NodeOptions } from './options.ts'
import type { Parts } from './parts.ts'

/** Opens what the listeners of a node prove themselves with, and watches its end; `null` where they speak no TLS. */
export async function startTls({ config, log }: NodeOptions, parts: Parts): Promise<ServerTls | null> {
  const tlsLog = log.child({ part: 'tls' })
  const tls = await openServerTls(config, tlsLog)
  if (tls === null) return null
  const watch = new ExpiryWatch(tls, Date.now, tlsLog)
  parts.tls = {
    close() {
      tls.close()
      watch.close()
    },
  }
  return tls
}

/** Leaves word in the repository of where a node serves TLS and what proves it, or that it serves none. */
export function noteServed(
  { config, nodeId, log }: NodeOptions,
  api: FastifyInstance,
  tls: ServerTls | null,
): void {
  if (tls === null) {
    writeServedNote(config.dataDir, nodeId, null)
    return
  }
  const { port } = api.server.address() as AddressInfo
  const note = (): void => {
    try {
      writeServedNote(config.dataDir, nodeId, { host: config.api.host, port, proof: tls.proof })
    } catch (error) {
      log.warn({ err: error }, 'commands of this machine are not told yet what proves this node')
    }
  }
  note()
  tls.follow(note)
}
