import type { CertificateEnd } from '../tls/server-tls.ts'

const DAY_MS = 86_400_000

/** A certificate of a node, as its API tells of it. */
export interface WireCertificate {
  /** `server` for the one that is served, `authority` for the one that vouches for it. */
  readonly Certificate: string
  readonly Until: string
  /** Whole days; negative where it has ended. */
  readonly DaysLeft: number
}

/** Tells until when certificates are good, where there are some. */
export function certificatesToWire(
  ends: readonly CertificateEnd[],
  nowMs: number,
): { readonly Certificates?: readonly WireCertificate[] } {
  if (ends.length === 0) return {}
  return {
    Certificates: ends.map(({ what, untilMs }) => ({
      Certificate: what,
      Until: new Date(untilMs).toISOString(),
      DaysLeft: Math.floor((untilMs - nowMs) / DAY_MS),
    })),
  }
}
