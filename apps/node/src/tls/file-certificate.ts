import { createPrivateKey } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import { Failure } from '@saltcod/cli-kit'
import type { Logger } from 'pino'
import { EXIT } from '../exit-code.ts'
import { unreadable } from '../unusable-place.ts'
import { certificatesIn } from './fingerprint.ts'
import { type CertificateEnd, type ServerCertificate, type ServerTls, WARN_BEFORE_MS } from './server-tls.ts'

const LOOK_MS = 1_000

/** Which files a node takes its certificate from. */
export interface FileCertificateOptions {
  readonly certFile: string
  readonly keyFile: string
  readonly clock: () => number
  readonly log: Logger
}

type ReadPair = ServerCertificate & { readonly leaf: string; readonly untilMs: number }

/**
 * A certificate of somebody else's, from files that are read again when they change. A pair that is none is not taken,
 * and the one before goes on.
 */
export class FileCertificate implements ServerTls {
  readonly #options: FileCertificateOptions
  readonly #listeners: (() => void)[] = []
  readonly #timer: NodeJS.Timeout
  #pair: ReadPair
  /** How the files looked when they were read last, and at the last look. */
  #read: string
  #seen: string

  /** Throws a `Failure` where the files hold no certificate with its key. */
  constructor(options: FileCertificateOptions) {
    this.#options = options
    try {
      this.#read = looksOf(options)
      this.#seen = this.#read
      this.#pair = readPair(options)
    } catch (error) {
      throw new Failure(EXIT.usage, `the certificate cannot be used: ${reasonOf(error)}`, {
        hint: 'see --tls-cert and --tls-key: PEM, the certificate of this node first, then those between it and its authority',
        cause: error,
      })
    }
    this.#warn()
    this.#timer = setInterval(() => void this.look(), LOOK_MS)
    this.#timer.unref()
  }

  get current(): ServerCertificate {
    return { cert: this.#pair.cert, key: this.#pair.key }
  }

  get proof(): string {
    return this.#pair.leaf
  }

  get ends(): readonly CertificateEnd[] {
    return [{ what: 'server', untilMs: this.#pair.untilMs, warnBeforeMs: WARN_BEFORE_MS }]
  }

  follow(listener: () => void): void {
    this.#listeners.push(listener)
  }

  async look(): Promise<void> {
    const { certFile, clock, keyFile, log } = this.#options
    const looks = looksOrReason(this.#options)
    // Between the writing of the one file and of the other they do not belong together.
    const isSettled = looks === this.#seen
    this.#seen = looks
    if (!isSettled || looks === this.#read) return
    this.#read = looks
    try {
      const pair = readPair(this.#options)
      if (pair.untilMs <= clock()) throw new Error(`it ended on ${new Date(pair.untilMs).toISOString()}`)
      this.#pair = pair
    } catch (error) {
      log.error(
        { certFile, keyFile, reason: reasonOf(error) },
        'the new certificate is not taken, and the one before is still served',
      )
      return
    }
    log.info({ certFile, until: new Date(this.#pair.untilMs).toISOString() }, 'a new certificate was taken')
    this.#warn()
    for (const listener of this.#listeners) listener()
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #warn(): void {
    const { keyFile, log } = this.#options
    const { mode } = statSync(keyFile, { throwIfNoEntry: false }) ?? {}
    if (mode !== undefined && (mode & 0o007) !== 0)
      log.warn({ keyFile }, 'the key of the certificate can be read by everybody on this machine')
  }
}

/** Tells files apart that were written anew, or exchanged. */
function looksOf({ certFile, keyFile }: FileCertificateOptions): string {
  return [certFile, keyFile]
    .map((path) => {
      const status = statSync(path, { bigint: true, throwIfNoEntry: false })
      return status === undefined ? 'none' : [status.ino, status.size, status.mtimeNs].join()
    })
    .join(' ')
}

/** The same; files that must not be looked at now look like the reason for that. */
function looksOrReason(options: FileCertificateOptions): string {
  try {
    return looksOf(options)
  } catch (error) {
    return reasonOf(error)
  }
}

/** Reads a certificate and its key. Throws what is wrong with them. */
function readPair({ certFile, keyFile }: FileCertificateOptions): ReadPair {
  const cert = readNamed(certFile)
  const key = readNamed(keyFile)
  const [leaf] = certificatesIn(cert)
  if (leaf === undefined) throw new Error(`${certFile} holds no certificate`)
  if (!leaf.checkPrivateKey(createPrivateKey(key)))
    throw new Error(`${keyFile} is not the key of the certificate in ${certFile}`)
  const untilMs = Date.parse(leaf.validTo)
  createSecureContext({ cert, key })
  return { cert, key, leaf: leaf.toString(), untilMs }
}

function readNamed(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch (error) {
    throw new Error(`${path} cannot be read: ${unreadable(error)}`, { cause: error })
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
