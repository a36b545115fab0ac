import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  X509Certificate,
} from 'node:crypto'
import { linkSync, readFileSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Failure } from '@saltcod/cli-kit'
import { syncDirectory, writeKeptFile } from '@saltcod/config'
import { EXIT } from '../exit-code.ts'
import { systemCode } from '../system-code.ts'
import { fingerprintOf } from './fingerprint.ts'

const DAY_MS = 86_400_000
const LIFE_MS = 3_652 * DAY_MS
/** So long before its end the certificate of an authority is made anew, with the same key. */
const RENEWED_BEFORE_MS = 730 * DAY_MS
/** Clocks of other machines may be behind. */
const BACKDATED_MS = DAY_MS

/** Where in a repository directory all that belongs to TLS lies. */
export const TLS_DIRECTORY_NAME = 'tls'

/** What vouches for the certificates of one repository. */
export interface Authority {
  readonly key: KeyObject
  /** As PEM. */
  readonly certificate: string
  /** Of its public key; what nodes that joined know the requester by. */
  readonly fingerprint: string
}

/** Returns where the key and the certificate of a repository's authority lie. */
function authorityPaths(repository: string): { readonly key: string; readonly certificate: string } {
  const directory = join(repository, TLS_DIRECTORY_NAME)
  return { key: join(directory, 'authority-key.pem'), certificate: join(directory, 'authority-cert.pem') }
}

/**
 * Returns the authority of a repository, which is made where there is none. Its key stays as it is for good; a
 * certificate that is missing, or nears its end, is made anew with it. Throws a `Failure` where the key is gone, is
 * none, or could be read by others: another key would be another authority, which nobody trusts yet.
 */
export async function openAuthority(repository: string, nowMs: number): Promise<Authority> {
  const paths = authorityPaths(repository)
  const key = readKey(paths) ?? makeKey(paths)
  const fingerprint = fingerprintOf(createPublicKey(key))
  const kept = readCertificate(repository)
  if (kept !== null && kept.fingerprint !== fingerprint)
    throw unusable(`${paths.certificate} is not the certificate of ${paths.key}`)
  if (kept !== null && kept.untilMs - nowMs > RENEWED_BEFORE_MS && kept.fromMs <= nowMs)
    return { key, certificate: kept.pem, fingerprint }
  const { issueAuthority } = await import('./issue.ts')
  const validity = { fromMs: nowMs - BACKDATED_MS, untilMs: nowMs + LIFE_MS }
  // A name of its own, so that those who trust several authorities can tell them apart.
  const certificate = await issueAuthority(key, `Saltcod authority ${fingerprint.slice(0, 12)}`, validity)
  writeKeptFile(paths.certificate, certificate)
  return { key, certificate, fingerprint }
}

/** Returns the certificate of a repository's authority as PEM; `null` where it has none. */
export function authorityCertificate(repository: string): string | null {
  return readCertificate(repository)?.pem ?? null
}

/** Returns the fingerprint of a repository's authority; `null` where it has none. */
export function authorityFingerprint(repository: string): string | null {
  return readCertificate(repository)?.fingerprint ?? null
}

interface KeptCertificate {
  readonly pem: string
  readonly fingerprint: string
  readonly fromMs: number
  readonly untilMs: number
}

function readCertificate(repository: string): KeptCertificate | null {
  const { certificate: path } = authorityPaths(repository)
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return null
  try {
    const pem = readFileSync(path, 'latin1')
    const { publicKey, validFrom, validTo } = new X509Certificate(pem)
    return {
      pem,
      fingerprint: fingerprintOf(publicKey),
      fromMs: Date.parse(validFrom),
      untilMs: Date.parse(validTo),
    }
  } catch (error) {
    throw unusable(`${path} cannot be read: ${reasonOf(error)}`, error)
  }
}

function readKey(paths: { readonly key: string; readonly certificate: string }): KeyObject | null {
  const status = statSync(paths.key, { throwIfNoEntry: false })
  if (status === undefined) {
    if (statSync(paths.certificate, { throwIfNoEntry: false }) === undefined) return null
    throw unusable(`${paths.key} is gone, and the certificate beside it is of no use without it`)
  }
  if (status.isDirectory()) throw unusable(`${paths.key} is a directory`)
  if ((status.mode & 0o077) !== 0)
    throw new Failure(EXIT.usage, `${paths.key} can be read by others, who could pass for this node`, {
      hint: `if nobody has: chmod 600 ${paths.key}; else remove the directory it is in, and have all nodes join again and all clients trust the new authority`,
    })
  try {
    return createPrivateKey(readFileSync(paths.key))
  } catch (error) {
    throw unusable(`${paths.key} cannot be read: ${reasonOf(error)}`, error)
  }
}

/** Makes a key, unless another process of this repository was faster, and returns the one that is kept. */
function makeKey(paths: { readonly key: string; readonly certificate: string }): KeyObject {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const proposed = `${paths.key}.${process.pid}`
  writeKeptFile(proposed, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())
  try {
    linkSync(proposed, paths.key)
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error
  } finally {
    rmSync(proposed)
  }
  syncDirectory(dirname(paths.key))
  return readKey(paths) ?? privateKey
}

function unusable(problem: string, cause?: unknown): Failure {
  return new Failure(EXIT.usage, `the authority of this repository cannot be used: ${problem}`, {
    hint: 'put both files back from a backup; or remove the directory they are in for a new authority, which all nodes and clients have to be told of',
    cause,
  })
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
