import type { IncomingHttpHeaders } from 'node:http'

/**
 * Returns what a client proves itself with: a token as bearer, or as the password of basic authentication, whatever
 * its user is called; `null` where it shows nothing.
 */
export function proofOf({ authorization }: IncomingHttpHeaders): string | null {
  const [, scheme = '', value = ''] = /^(bearer|basic) +(\S+) *$/i.exec(authorization ?? '') ?? []
  if (scheme.toLowerCase() === 'bearer') return value
  if (scheme === '') return null
  const pair = Buffer.from(value, 'base64').toString()
  return pair.slice(pair.indexOf(':') + 1)
}
