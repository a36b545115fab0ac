import type { Duplex } from 'node:stream'

const ON_SOCKET = 'the socket of this machine'
/** An IPv6 network of one household or machine has this many groups of its address in common. */
const GROUPS_OF_A_NETWORK = 4

/** Returns whom a connection is from, for limits and logs: an address, or of IPv6 the network that one user has. */
export function peerOf(socket: Duplex): string {
  const address = 'remoteAddress' in socket ? socket.remoteAddress : undefined
  if (typeof address !== 'string') return ON_SOCKET
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped !== undefined) return mapped
  return address.includes(':') ? networkOf(address) : address
}

function networkOf(address: string): string {
  if (address === '::1') return address
  const [head = '', tail] = (address.split('%')[0] ?? '').split('::')
  const first = head === '' ? [] : head.split(':')
  const last = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : 8 - first.length - last.length
  const groups = [...first, ...Array.from({ length: zeros }, () => '0'), ...last]
  return `${groups.slice(0, GROUPS_OF_A_NETWORK).join(':')}::/64`
}
