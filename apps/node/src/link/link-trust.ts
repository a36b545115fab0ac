import type { ConnectionOptions } from 'node:tls'

/** Where a requester is reached over the network. */
export interface LinkPlace {
  readonly host: string
  readonly port: string
}

/** What has to prove a requester that is reached by https. */
export interface LinkTrust {
  /** What is perhaps the cause where a requester is of an authority that is not known, for people. */
  readonly suspicion?: string | undefined
  /**
   * Returns what a connection is to be proven by. Rejects with a `LinkError` where the requester cannot prove itself.
   */
  proofAt(place: LinkPlace): Promise<ConnectionOptions>
  /** Notes that a requester did not prove itself by what was returned last. */
  failed(): void
}

/** Asks for the same proof everywhere and always. */
export function fixedTrust(options: ConnectionOptions, suspicion?: string): LinkTrust {
  return { suspicion, proofAt: () => Promise.resolve(options), failed: () => undefined }
}
