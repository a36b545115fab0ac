import type { WireError } from '@saltcod/bacalhau-records'
import { Failure } from '@saltcod/cli-kit'
import { EXIT } from '../exit-code.ts'

/** Returns what a node says where it refuses; undefined where an answer is no refusal of a node. */
export function refusal(answer: unknown): Failure | undefined {
  if (typeof answer !== 'object' || answer === null || !('Message' in answer)) return undefined
  const { Message, Hint } = answer as WireError
  return new Failure(EXIT.failed, Message.split('\n'), { hint: Hint })
}
