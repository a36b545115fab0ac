import { type Format, printWhole, type Terminal } from '@saltcod/cli-kit'
import type { JobFlags } from '../configuration.ts'
import { clientFor } from '../configuration.ts'

/** Options of `job stop`. */
export interface JobStopOptions extends JobFlags {
  readonly quiet?: boolean
  readonly reason?: string
  readonly output: Format
}

/** Stops a job. */
export async function jobStop(terminal: Terminal, id: string, options: JobStopOptions): Promise<void> {
  const reason = options.reason ?? 'Stopped at user request'
  const answer = await clientFor(terminal, options).stopJob(id, reason, { namespace: options.namespace })
  if (options.output !== 'table') {
    printWhole(terminal, options.output, answer)
    return
  }
  if (options.quiet === true) return
  const { EvaluationID } = answer
  terminal.out(
    EvaluationID === ''
      ? 'The job had been stopped before.\n'
      : `Job stop successfully submitted with evaluation ID: ${EvaluationID}\n`,
  )
}
