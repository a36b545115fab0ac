/** Every code that a {@link LinkError} can carry, with when it is thrown. */
const LINK_ERROR_CODES = {
  LINK_CLOSED: 'the other end is gone',
  LINK_SILENT: 'the other end did not answer in time',
  LINK_LIMIT: 'a message is larger than the link takes',
  LINK_UNKNOWN: 'the requester has not shaken hands with the node since it began',
  LINK_UNJOINED: 'the requester knows no such credential of the node, which has to join with a token',
  LINK_REFUSED: 'the requester takes no messages from there',
  LINK_UNTRUSTED: 'what answers does not prove that it is the requester that is meant',
  LINK_STALE: 'a handshake was overtaken by what the node has reported since, and the node has to come again',
  LINK_TAKEN: 'another node with the same id may live, and the node has to come again',
  LINK_VERSION: 'both sides speak no version of the link in common',
  LINK_INVALID: 'a message is none that the link knows',
  LINK_GARBLED: 'what came back is nothing that the other end of a link says',
} as const

/** One of the codes of a {@link LinkError}. */
export type LinkErrorCode = keyof typeof LINK_ERROR_CODES

/** What the link itself refuses or cannot do. Recognise it by {@link isLinkError}. */
export class LinkError extends Error {
  override readonly name: string = 'LinkError'
  readonly code: LinkErrorCode

  constructor(code: LinkErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

/** Tells whether a thrown value is a {@link LinkError}, with one of the given codes if any are named. */
export function isLinkError(error: unknown, ...codes: readonly LinkErrorCode[]): error is LinkError {
  if (!(error instanceof Error) || error.name !== 'LinkError' || !('code' in error)) return false
  return codes.length === 0 || codes.includes(error.code as LinkErrorCode)
}

/** Tells whether a name is a code of a {@link LinkError}. */
export function isLinkErrorCode(code: string): code is LinkErrorCode {
  return Object.hasOwn(LINK_ERROR_CODES, code)
}
