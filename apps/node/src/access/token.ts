import { randomBytes } from 'node:crypto'

const SECRET_BYTES = 32
/** Of 8 letters and digits without those that look alike. */
const ALPHABET = 'abcdefghijkmnpqrstuvwxyz23456789'
const ID_LENGTH = 8
const TOKEN = /^saltcod1\.([a-z0-9]{1,32})\.([A-Za-z0-9_-]{43})(?:\.([A-Za-z0-9_-]{43}))?$/
/** A secret that was cut off, or put between other words, is one too. */
const WITHIN = /(saltcod1(?:-node)?\.[A-Za-z0-9_-]{1,64})\.[A-Za-z0-9_.-]{8,}/g
const CREDENTIAL = /^saltcod1-node\.([A-Za-z0-9][A-Za-z0-9_-]{0,63})\.([A-Za-z0-9_-]{43})$/

/** A token as its bearer has it. */
export interface Token {
  readonly id: string
  readonly secret: string
  /** What the authority of the requester is recognised by; `null` where a token says nothing of it. */
  readonly fingerprint: string | null
}

/** What a node proves itself with. */
export interface NodeCredential {
  readonly nodeId: string
  readonly secret: string
}

/** Makes a secret that nobody can guess. */
export function makeSecret(): string {
  return randomBytes(SECRET_BYTES).toString('base64url')
}

/** Makes the id of a token: it names the token to people, and is no secret. */
export function makeTokenId(): string {
  return [...randomBytes(ID_LENGTH)].map((byte) => ALPHABET[byte % ALPHABET.length]).join('')
}

/** Writes a token as its bearer keeps it. */
export function tokenText({ id, secret, fingerprint }: Token): string {
  return ['saltcod1', id, secret, ...(fingerprint === null ? [] : [fingerprint])].join('.')
}

/** Reads a token; `null` for what is none. */
export function readToken(text: string): Token | null {
  const [, id, secret, fingerprint = null] = TOKEN.exec(text) ?? []
  return id === undefined || secret === undefined ? null : { id, secret, fingerprint }
}

/**
 * Puts dots in the place of what is secret in each token and credential that a text holds, so that it can be shown:
 * people paste them where an id or a path belongs.
 */
export function hideTokens(text: string): string {
  return text.replaceAll(WITHIN, '$1.…')
}

/** Writes the credential of a node. */
export function credentialText({ nodeId, secret }: NodeCredential): string {
  return `saltcod1-node.${nodeId}.${secret}`
}

/** Reads the credential of a node; `null` for what is none. */
export function readCredential(text: string): NodeCredential | null {
  const [, nodeId, secret] = CREDENTIAL.exec(text) ?? []
  return nodeId === undefined || secret === undefined ? null : { nodeId, secret }
}
