import type { WireError } from '@saltcod/bacalhau-records'
import { Failure, isFailure } from '@saltcod/cli-kit'
import { EXIT } from '../exit-code.ts'

/** Returns what a node says where it refuses; undefined where an answer is no refusal of a node. */
export function refusal(answer: unknown): Failure | undefined {
  if (typeof answer !== 'object' || answer === null || !('Message' in answer)) return undefined
  const { Message, Hint } = answer as WireError
  return new Failure(EXIT.failed, Message.split('\n'), { hint: Hint, cause: answer })
}

/** Tells whether a failure is that of a client who did not show who it is. */
export function isUnproven(error: unknown): boolean {
  if (!isFailure(error) || typeof error.cause !== 'object' || error.cause === null) return false
  return 'Code' in error.cause && error.cause.Code === 'Unauthorized'
}
