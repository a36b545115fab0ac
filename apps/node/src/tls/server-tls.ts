/** What a server proves itself with: a certificate with all between it and its authority, and its key, as PEM. */
export interface ServerCertificate {
  readonly cert: string
  readonly key: string
}

/** What of a server is proven by certificates, and until when. */
export interface CertificateEnd {
  readonly what: 'server' | 'authority'
  /** In milliseconds since 1970. */
  readonly untilMs: number
  /** It is said when less than this is left. */
  readonly warnBeforeMs: number
}

/** So long before its end it is said of a certificate that somebody has to replace it. */
export const WARN_BEFORE_MS: number = 14 * 86_400_000

/** The certificate of all that a node listens on, which is replaced while it serves. */
export interface ServerTls {
  /** What is served now. */
  readonly current: ServerCertificate
  /** The one that clients of the same machine recognise this node by, as PEM: its authority, or what it serves. */
  readonly proof: string
  /** When the certificates end, the soonest first. */
  readonly ends: readonly CertificateEnd[]
  /** Has a listener called whenever there is another certificate. */
  follow(listener: () => void): void
  /** Looks at once for what has changed, as it does every few seconds by itself. */
  look(): Promise<void>
  /** Looks no more. */
  close(): void
}
