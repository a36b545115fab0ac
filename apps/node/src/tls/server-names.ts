import { hostname, networkInterfaces } from 'node:os'

const NAME = /^(?:\*\.)?[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252})$/

/** Nobody calls by these, and they come and go with the containers of the machine. */
const LINK_LOCAL = /^fe[89ab][0-9a-f]:/i

/** Returns every name and address by which clients may find this machine, those given first, each once. */
export function serverNames(given: readonly string[]): string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((all = []) =>
    all.map(({ address }) => address).filter((address) => !LINK_LOCAL.test(address)),
  )
  const names = [...given, hostname(), 'localhost', '127.0.0.1', '::1', ...addresses]
  return [...new Set(names.map((name) => name.replace(/%.*$/, '')).filter(isUsable))]
}

/** What is listened on as `0.0.0.0` is found by no such address. */
function isUsable(name: string): boolean {
  return name !== '0.0.0.0' && name !== '::' && (name.includes(':') || NAME.test(name))
}
