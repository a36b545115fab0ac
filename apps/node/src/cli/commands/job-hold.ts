import { printable } from '@saltcod/cli-kit'
import type { HoldAnswer } from '../../retention/gc-routes.ts'
import type { JobFlags } from '../configuration.ts'
import { clientFor } from '../configuration.ts'
import { printValue } from '../output.ts'
import type { Terminal } from '../terminal.ts'

/** Options of `job hold` and `job release`. */
export interface JobHoldOptions extends JobFlags {
  /** Absent where the job is to be let go. */
  readonly reason?: string
  readonly output?: string
}

/** Holds a job against retention for a reason, or lets it go without one. */
export async function jobHold(terminal: Terminal, id: string, options: JobHoldOptions): Promise<void> {
  const answer = await clientFor(terminal, options).holdJob(id, options.reason ?? null, {
    namespace: options.namespace,
  })
  if (options.output === 'json' || options.output === 'yaml') {
    printValue(terminal, options.output, answer)
    return
  }
  terminal.out(`Job ${answer.JobID} ${standing(answer)}\n`)
}

function standing({ Hold, HeldBefore }: HoldAnswer): string {
  if (Hold !== null) return `is held: ${printable(Hold)}`
  return HeldBefore === null ? 'was not held.' : 'is held no more.'
}
