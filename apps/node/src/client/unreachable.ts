import { Failure, isFailure } from '@saltcod/cli-kit'
import { EXIT } from '../exit-code.ts'
import { systemCode } from '../system-code.ts'
import { distrustOf } from '../tls/trust-words.ts'

const CLOSED = 'it closed the connection'
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: 'there is no such host',
  ECONNRESET: CLOSED,
  EPIPE: CLOSED,
  UND_ERR_SOCKET: CLOSED,
}

/** Makes the failure of a node that cannot be reached, or does not answer in time. */
export function unreachable(base: string, error: unknown, answerMs: number): Failure {
  const distrust = distrustOf(error)
  const reason = distrust?.reason ?? reasonOf(error, answerMs)
  return new Failure(EXIT.unreachable, `cannot reach a node at ${base}: ${reason}`, {
    hint: distrust?.hint ?? hintOf(base, reason),
    cause: error,
  })
}

function hintOf(base: string, reason: string): string {
  // What speaks TLS alone answers nothing to what does not.
  if (reason === CLOSED && base.startsWith('http:'))
    return 'see whether the node has ended; if it speaks TLS, say so with --use-tls or --cacert FILE'
  return 'start one with `saltcod serve`, or say where it is with --host and --port'
}

/**
 * Tells whether a failure is that of a node that was there and was lost before it had answered: what was asked may
 * have been done.
 */
export function wasLost(error: unknown): boolean {
  if (!isFailure(error) || error.exitCode !== EXIT.unreachable) return false
  return isTimeout(error.cause) || REASONS[codeOf(error.cause)] === CLOSED
}

function reasonOf(error: unknown, answerMs: number): string {
  if (!(error instanceof Error)) return String(error)
  if (isTimeout(error)) return `no answer within ${answerMs / 1000} seconds`
  const code = codeOf(error)
  const inner = error.cause instanceof Error ? error.cause.message : ''
  return REASONS[code] ?? (code || inner || error.message)
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.name === 'TimeoutError'
}

/** The system's word for what happened, which fetch keeps in the cause and a websocket in the error itself. */
function codeOf(error: unknown): string {
  return systemCode(error) ?? (error instanceof Error ? systemCode(error.cause) : undefined) ?? ''
}
