import { once } from 'node:events'
import { get } from 'node:https'
import { text } from 'node:stream/consumers'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'

/** Asks an address by https and returns the status and what was answered. Rejects where the server is not trusted. */
export async function ask(
  url: string,
  options: ConnectionOptions,
): Promise<{ readonly status: number; readonly text: string }> {
  const request = get(url, { ...options, agent: false })
  const [message] = (await once(request, 'response')) as [import('node:http').IncomingMessage]
  return { status: message.statusCode ?? 0, text: await text(message) }
}

/** Shakes hands with a server, and returns the connection. Rejects where that fails. */
export async function shake(url: string, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const { hostname, port } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false, ...options })
  await once(socket, 'secureConnect')
  return socket
}
