import { shortId, span } from '@saltcod/cli-kit'
import { planRecovery, type RecoveryDecision } from '@saltcod/recovery'
import type { ReadOptions } from '../cli/options.ts'
import { type Column, Listing } from '../cli/output.ts'
import type { Terminal } from '../cli/terminal.ts'
import { rfcTime } from '../cli/words.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { Failure } from '../failure.ts'
import { eachStore } from '../store/open-store.ts'
import { type PolicyChoice, readRecoveryPolicy } from '../store/recovery-policy.ts'

/** Options of `recover`. */
export interface RecoverOptions extends ReadOptions, PolicyChoice {
  readonly wide?: boolean
}

/** Prints what a restart would do with every execution if the node stopped now. Writes nothing. */
export async function recover(
  terminal: Terminal,
  store: string,
  options: RecoverOptions,
): Promise<ExitCode | undefined> {
  const policy = await readRecoveryPolicy(store, options)
  const listing = new Listing(terminal, options.output, columns(options), toRow)
  const actions = new Map<string, number>()
  let found = false
  const code = await eachStore(terminal, store, async (opened) => {
    if (opened.kind !== 'executions') return
    found = true
    for await (const page of planRecovery(opened.store, policy)) {
      for (const decision of page.decisions) {
        listing.add(decision)
        actions.set(decision.action, (actions.get(decision.action) ?? 0) + 1)
      }
      for (const id of page.quarantined)
        terminal.err(`Warning: the record of ${id} is damaged, no restart touches it\n`)
    }
  })
  if (!found && code === undefined) {
    throw new Failure(EXIT.usage, `${store} is no store of executions`, {
      hint: 'a restart decides about the executions of a compute node; give its executions.db or the repository',
    })
  }
  listing.end('nothing to do: no execution is in progress')
  if (options.output === 'table' && actions.size > 0) {
    const sums = [...actions].map(([action, count]) => `${count} ${action}`)
    terminal.out(`\nin all: ${sums.join(', ')}\n`)
  }
  return code
}

function toRow({ deadlineAtMs, ...decision }: RecoveryDecision): unknown {
  return { ...decision, deadlineAt: rfcTime(deadlineAtMs) }
}

function columns({ output, wide }: RecoverOptions): Column<RecoveryDecision>[] {
  const whole = output === 'csv' || wide === true
  return [
    { name: 'EXECUTION', value: ({ executionId }) => shortId(executionId, whole) },
    { name: 'JOB', value: ({ jobId }) => shortId(jobId, whole) },
    { name: 'TYPE', value: ({ jobType }) => jobType },
    { name: 'STATE', value: ({ state }) => state },
    { name: 'AGE', value: ({ ageMs }) => (output === 'csv' ? String(ageMs) : span(ageMs)) },
    { name: 'ACTION', value: ({ action }) => action },
    { name: 'REASON', value: ({ reason }) => reason },
    { name: 'RULE', value: ({ rule }) => rule },
  ]
}
