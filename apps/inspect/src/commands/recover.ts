import { outlivesNode } from '@saltcod/bacalhau-records'
import { Failure, RecoveryPrinter, type Terminal } from '@saltcod/cli-kit'
import { planRecovery, type RecoveryDecision } from '@saltcod/recovery'
import type { ReadOptions } from '../cli/options.ts'
import { rfcTime } from '../cli/words.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
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
  const printer = new RecoveryPrinter<RecoveryDecision>(terminal, { ...options, toRow })
  let found = false
  const code = await eachStore(terminal, store, async (opened) => {
    if (opened.kind !== 'executions') return
    found = true
    await printer.add(planRecovery(opened.store, policy, { outlives: ({ job }) => outlivesNode(job.spec) }))
  })
  if (!found && code === undefined) {
    throw new Failure(EXIT.usage, `${store} is no store of executions`, {
      hint: 'a restart decides about the executions of a compute node; give its executions.db or the repository',
    })
  }
  printer.end()
  return code
}

function toRow({ deadlineAtMs, ...decision }: RecoveryDecision): unknown {
  return { ...decision, deadlineAt: rfcTime(deadlineAtMs) }
}
