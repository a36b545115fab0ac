import type { Logger } from 'pino'
import { type Authority, openAuthority } from './authority.ts'
import { certificatesIn } from './fingerprint.ts'
import type { IssuedCertificate } from './issue.ts'
import { serverNames } from './server-names.ts'
import { type CertificateEnd, type ServerCertificate, type ServerTls, WARN_BEFORE_MS } from './server-tls.ts'

const LOOK_MS = 30_000
/** A certificate is replaced when so much of its life is over. */
const RENEWED_AT = 2 / 3
/** Clocks of clients may be behind. */
const BACKDATED_MS = 3_600_000

/** How a node makes certificates of its own. */
export interface AutoCertificateOptions {
  readonly repository: string
  /** Names beside those of the machine. */
  readonly names: readonly string[]
  readonly lifeMs: number
  readonly clock: () => number
  readonly log: Logger
}

type Issued = IssuedCertificate & {
  readonly names: string
  readonly fromMs: number
  readonly untilMs: number
}

/**
 * Certificates of the repository's own authority. A new one, with a new key that is kept nowhere, is made at each
 * start, in time before the last one ends, and when the machine has another address.
 */
export class AutoCertificate implements ServerTls {
  readonly #options: AutoCertificateOptions
  readonly #listeners: (() => void)[] = []
  readonly #timer: NodeJS.Timeout
  #authority: Authority
  #issued: Issued
  #looking: Promise<void> | undefined

  private constructor(options: AutoCertificateOptions, authority: Authority, issued: Issued) {
    this.#options = options
    this.#authority = authority
    this.#issued = issued
    const everyMs = Math.max(100, Math.min(LOOK_MS, options.lifeMs / 12))
    this.#timer = setInterval(() => void this.look(), everyMs)
    this.#timer.unref()
  }

  /** Opens or makes the authority, and makes a certificate. Throws a `Failure` where there can be none. */
  static async open(options: AutoCertificateOptions): Promise<AutoCertificate> {
    const authority = await openAuthority(options.repository, options.clock())
    return new AutoCertificate(options, authority, await issue(options, authority))
  }

  get current(): ServerCertificate {
    const { key, certificate } = this.#issued
    return { key, cert: `${certificate}${this.#authority.certificate}` }
  }

  get proof(): string {
    return this.#authority.certificate
  }

  get ends(): readonly CertificateEnd[] {
    const [authority] = certificatesIn(this.#authority.certificate)
    return [
      // Long after another one should have taken its place.
      { what: 'server', untilMs: this.#issued.untilMs, warnBeforeMs: this.#options.lifeMs / 6 },
      {
        what: 'authority',
        untilMs: Date.parse(authority?.validTo ?? ''),
        warnBeforeMs: WARN_BEFORE_MS,
      },
    ]
  }

  follow(listener: () => void): void {
    this.#listeners.push(listener)
  }

  async look(): Promise<void> {
    this.#looking ??= this.#renew().finally(() => {
      this.#looking = undefined
    })
    await this.#looking
  }

  close(): void {
    clearInterval(this.#timer)
  }

  async #renew(): Promise<void> {
    const { clock, lifeMs, log, names, repository } = this.#options
    const nowMs = clock()
    const { fromMs, names: known } = this.#issued
    const isDue = nowMs < fromMs || nowMs >= fromMs + lifeMs * RENEWED_AT
    if (!isDue && known === serverNames(names).join()) return
    try {
      this.#authority = await openAuthority(repository, nowMs)
      this.#issued = await issue(this.#options, this.#authority)
      log.info(
        { until: new Date(this.#issued.untilMs).toISOString(), names: this.#issued.names },
        isDue ? 'the certificate was renewed' : 'a certificate for the addresses as they are now was made',
      )
    } catch (error) {
      log.error({ err: error }, 'no new certificate could be made; the one before is still served')
      return
    }
    for (const listener of this.#listeners) listener()
  }
}

async function issue(
  { names: given, lifeMs, clock }: AutoCertificateOptions,
  authority: Authority,
): Promise<Issued> {
  const { issueServer } = await import('./issue.ts')
  const names = serverNames(given)
  const fromMs = clock()
  const untilMs = fromMs + lifeMs
  const issued = await issueServer(authority, names, { fromMs: fromMs - BACKDATED_MS, untilMs })
  return { ...issued, names: names.join(), fromMs, untilMs }
}
