import { Failure, printable, type Terminal } from '@saltcod/cli-kit'
import { stringify } from 'yaml'
import { EXIT } from '../exit-code.ts'
import { examine, type JobObject } from '../job-file/job-of.ts'

/**
 * Prints what would be submitted, as YAML. Throws a `Failure` with all that is wrong with it, where every node would
 * refuse it.
 */
export function showJob(
  terminal: Terminal,
  job: JobObject,
  { hideWarnings }: { readonly hideWarnings?: boolean },
): void {
  refuseWrong(terminal, job, hideWarnings)
  // No line is folded: what stands in it is to be found as it was written. What older YAML reads otherwise is in
  // quotes.
  terminal.out(stringify(job, { lineWidth: 0, aliasDuplicateObjects: false, compat: 'yaml-1.1' }))
}

/** Says what a node would leave out. Throws a `Failure` with all that is wrong, where every node would refuse it. */
export function refuseWrong(terminal: Terminal, job: JobObject, hideWarnings = false): void {
  const { problems, warnings } = examine(job)
  if (problems.length > 0) throw new Failure(EXIT.failed, problems)
  if (hideWarnings) return
  for (const warning of warnings) terminal.err(`Warning: ${printable(warning)}\n`)
}
