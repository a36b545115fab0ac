import { readFileSync } from 'node:fs'
import type { ConnectionOptions } from 'node:tls'
import { Failure } from '@saltcod/cli-kit'
import { EXIT } from '../exit-code.ts'
import { unreadable } from '../unusable-place.ts'
import { certificatesIn } from './fingerprint.ts'

/** Whatever Node.js is told otherwise: nothing before TLS 1.2, and no server without a proof. */
const STRICT = { minVersion: 'TLSv1.2', rejectUnauthorized: true } as const

/** Trusts the authorities of the system, and a server that has a certificate of one for the name it is called by. */
export const TRUST_OF_SYSTEM: ConnectionOptions = STRICT

/**
 * Trusts the authorities of a file and no others, and a server that has a certificate of one for the name it is called
 * by. Throws a `Failure` where the file cannot be used.
 */
export function trustIn(path: string): ConnectionOptions {
  try {
    const found = certificatesIn(readFileSync(path, 'latin1'))
    if (found.length === 0) throw new Error('it holds no certificate')
    return { ...STRICT, ca: found.map(String) }
  } catch (error) {
    const reason = unreadable(error)
    throw new Failure(EXIT.usage, `the authorities in ${path} cannot be read: ${reason}`, {
      hint: 'it is the file that --cacert (API.TLS.CAFile) names: PEM, as `saltcod tls authority` prints it',
      cause: error,
    })
  }
}

/** Trusts a server that proves itself by one certificate, or by one that it vouches for, by whatever name. */
export function trustOnly(certificate: string): ConnectionOptions {
  return {
    ...STRICT,
    ca: [certificate],
    // The certificate may be that of the server itself.
    allowPartialTrustChain: true,
    checkServerIdentity: () => undefined,
  } as ConnectionOptions
}
