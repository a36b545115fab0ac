import { lookup } from 'node:dns/promises'
import { BlockList, isIP } from 'node:net'

/** An address that a name stands for. */
export interface HostAddress {
  readonly address: string
  readonly family: 4 | 6
}

const DENIED_V4 = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const

// Everything but 2000::/3 is local, special or unassigned; within it, what embeds or documents.
const DENIED_V6 = [
  ['::', 3],
  ['4000::', 2],
  ['8000::', 1],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
] as const

// Two lists: in one, a range of IPv6 that holds the mapped IPv4 addresses would match every IPv4 address.
const deniedV4 = new BlockList()
for (const [address, prefix] of DENIED_V4) deniedV4.addSubnet(address, prefix, 'ipv4')
const deniedV6 = new BlockList()
for (const [address, prefix] of DENIED_V6) deniedV6.addSubnet(address, prefix, 'ipv6')

/** Tells whether an address is on the public internet: not loopback, private, link-local or special. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address)
  if (family === 0 || address.includes('%')) return false
  return family === 4 ? !deniedV4.check(address, 'ipv4') : !deniedV6.check(address, 'ipv6')
}

/**
 * Resolves the host of a URL once, to be connected to by address afterwards, so that a name which changes its address
 * in between (DNS rebinding) leads nowhere else. Unless private ones are allowed, only public addresses are answered,
 * against server-side request forgery (SSRF); the list is empty when there are none.
 */
export async function resolveHost(hostname: string, allowPrivate: boolean): Promise<readonly HostAddress[]> {
  const bare = hostname.replace(/^\[|\]$/g, '')
  const literal = isIP(bare)
  const all = literal === 0 ? await lookup(bare, { all: true }) : [{ address: bare, family: literal }]
  return all
    .filter(({ address }) => allowPrivate || isPublicAddress(address))
    .map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }))
}
