import { type Format, printable, printWhole, type Terminal } from '@saltcod/cli-kit'
import type { HoldAnswer } from '../../retention/gc-routes.ts'
import type { JobFlags } from '../configuration.ts'
import { clientFor } from '../configuration.ts'

/** Options of `job hold` and `job release`. */
export interface JobHoldOptions extends JobFlags {
  /** Absent where the job is to be let go. */
  readonly reason?: string
  readonly output: Format
}

/** Holds a job against retention for a reason, or lets it go without one. */
export async function jobHold(terminal: Terminal, id: string, options: JobHoldOptions): Promise<void> {
  const answer = await clientFor(terminal, options).holdJob(id, options.reason ?? null, {
    namespace: options.namespace,
  })
  if (options.output !== 'table') {
    printWhole(terminal, options.output, answer)
    return
  }
  terminal.out(`Job ${answer.JobID} ${standing(answer)}\n`)
}

function standing({ Hold, HeldBefore }: HoldAnswer): string {
  if (Hold !== null) return `is held: ${printable(Hold)}`
  return HeldBefore === null ? 'was not held.' : 'is held no more.'
}
