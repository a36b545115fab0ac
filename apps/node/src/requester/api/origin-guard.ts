import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'

/** What a request has once: of two, a proxy on the way could go by the one and this node by the other. */
const ONLY_ONCE = ['host', 'authorization', 'origin'] as const

/**
 * Returns why a request may come from a web page of somebody else, which must not command a node through its visitor's
 * browser; `null` where nothing speaks for it. The check of the Origin header is against cross-site request forgery
 * (CSRF), the check of the Host header against DNS rebinding: whoever owns a public name can point it at the loopback
 * address, and a page that came from there then shares the node's origin.
 */
export function foreignOrigin({ headers, headersDistinct, socket }: IncomingMessage): string | null {
  const { origin, host = '' } = headers
  const doubled = ONLY_ONCE.find((name) => (headersDistinct[name]?.length ?? 0) > 1)
  if (doubled !== undefined) return `the header ${doubled} is there more than once`
  if (origin !== undefined && (!URL.canParse(origin) || new URL(origin).host !== host)) {
    return `requests from the web page ${origin.slice(0, 200)} are not taken`
  }
  if (!isLoopback(socket.localAddress) || !isPublicName(host)) return null
  return `${host.slice(0, 200)} is no name of this node: it was reached on the loopback address; a proxy must not hand the name on`
}

/** Tells whether an address is one of this machine alone. */
export function isLoopback(address: string | undefined): boolean {
  return address !== undefined && /^(?:127\.|::1$|::ffff:127\.)/.test(address)
}

/** A name with a dot is one that anybody could own. */
function isPublicName(host: string): boolean {
  if (host === '' || !URL.canParse(`http://${host}`)) return false
  const name = new URL(`http://${host}`).hostname
  return name.includes('.') && isIP(name) === 0 && !name.endsWith('.localhost')
}
