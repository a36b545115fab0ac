import { statSync } from 'node:fs'
import { Failure } from '@saltcod/cli-kit'
import type { Config } from '@saltcod/config'
import type { Logger } from 'pino'
import { EXIT } from '../exit-code.ts'
import { JOIN_HEADER } from '../link/http-endpoint.ts'
import type { LinkProof } from '../link/http-link.ts'
import {
  type KeptCredential,
  keepNodeCredential,
  makeNodeCredential,
  readNodeCredential,
} from './node-credential.ts'
import { readSecretFile } from './secret-file.ts'
import { readToken } from './token.ts'

const MOST_BYTES = 1_000

/** What an identity works with. */
interface IdentityOptions {
  readonly repository: string
  readonly nodeId: string
  /** The token by which the node joins; `null` where it has none. */
  readonly joinToken: string | null
  readonly log: Logger
}

/**
 * What a compute node proves itself with to its requester. The node makes its credential and keeps it before the
 * requester hears of it, so that an answer that is lost leaves both with the same one; the token by which it joins
 * goes along until it was taken in. One that the requester has ended is never shown with a token: another takes its
 * place, so that nobody who has a copy of the old one comes in with the new.
 */
export class LinkIdentity implements LinkProof {
  readonly #options: IdentityOptions
  #kept: KeptCredential | null

  private constructor(options: IdentityOptions, kept: KeptCredential | null) {
    this.#options = options
    this.#kept = kept
  }

  /**
   * Reads the credential that a node has from joining before, or makes one where it has a token to join with; without
   * either it shows nothing. Throws a `Failure` where one of them cannot be used.
   */
  static open(
    { compute, dataDir }: Pick<Config, 'compute' | 'dataDir'>,
    {
      nodeId,
      named,
      log,
    }: { readonly nodeId: string; readonly named: string | undefined; readonly log: Logger },
  ): LinkIdentity {
    const kept = readNodeCredential(dataDir, nodeId)
    const joinToken = joinTokenOf(compute.joinTokenFile, named, kept?.joined === true, log)
    const options = { repository: dataDir, nodeId, joinToken, log }
    return new LinkIdentity(
      options,
      joinToken === null ? kept : (kept ?? makeNodeCredential(dataDir, nodeId)),
    )
  }

  /** Whether the node has a token to join by. */
  get hasToken(): boolean {
    return this.#options.joinToken !== null
  }

  /** What the authority of the requester is recognised by; `null` where the token to join says nothing of that. */
  get fingerprint(): string | null {
    return readToken(this.#options.joinToken ?? '')?.fingerprint ?? null
  }

  headers(call: string): Readonly<Record<string, string>> {
    if (this.#kept === null) return {}
    const { credential, joined } = this.#kept
    const { joinToken } = this.#options
    const joins = call === 'handshake' && !joined && joinToken !== null
    return { authorization: `Bearer ${credential}`, ...(joins ? { [JOIN_HEADER]: joinToken } : {}) }
  }

  accepted(): void {
    if (this.#kept === null || this.#kept.joined) return
    const { repository, nodeId } = this.#options
    this.#keep(() =>
      keepNodeCredential(repository, nodeId, { credential: this.#kept?.credential ?? '', joined: true }),
    )
  }

  refused(): void {
    const { repository, nodeId, joinToken, log } = this.#options
    if (this.#kept?.joined !== true || joinToken === null) return
    this.#keep(() => makeNodeCredential(repository, nodeId))
    log.info('the requester has ended the credential of this node, which joins again with another one')
  }

  /** What cannot be kept now is told again by the requester at the next handshake. */
  #keep(write: () => KeptCredential): void {
    try {
      this.#kept = write()
    } catch (error) {
      this.#options.log.warn({ err: error }, 'the credential of this node could not be written')
    }
  }
}

function joinTokenOf(
  path: string | undefined,
  named: string | undefined,
  hasJoined: boolean,
  log: Logger,
): string | null {
  if (path === undefined) return named === undefined ? null : checked(named.trim(), 'the variable for it')
  const text = readJoinTokenFile(path, hasJoined, log)
  return text === null ? null : checked(text, path)
}

function checked(text: string, where: string): string {
  if (readToken(text) !== null) return text
  throw new Failure(EXIT.usage, `${where} holds no token to join with`, {
    hint: 'it has to hold one line, as saltcod token create --role node prints it on the requester',
  })
}

/** A node that has joined needs the token no more, whatever its unit still says. */
function readJoinTokenFile(path: string, hasJoined: boolean, log: Logger): string | null {
  const found = statSync(path, { throwIfNoEntry: false })
  if (hasJoined && found === undefined) return null
  if (found?.isDirectory() === false && found.size > MOST_BYTES) return ''
  const text = readSecretFile({
    path,
    what: 'the token to join with',
    hint: 'bring it here from the requester: saltcod token create --role node prints it there',
    encoding: 'latin1',
  })
  if (((found?.mode ?? 0) & 0o077) !== 0)
    log.warn(
      { path },
      'others can read the token to join with, and could let nodes of their own join: chmod 600',
    )
  return text
}
