import { shortId } from '@saltcod/cli-kit'
import { resolvePaths } from '@saltcod/config'
import type { RecoveryDecision } from '@saltcod/recovery'
import { planRecovery, recoveryPolicy } from '@saltcod/recovery'
import { isStoreError } from '@saltcod/store-core'
import { openLmdbExecutionStore } from '@saltcod/store-lmdb'
import { EXIT } from '../../exit-code.ts'
import { Failure } from '../../failure.ts'
import { loadOrRefuse } from '../configuration.ts'
import { knownNodeId } from '../node-identity.ts'
import { printList } from '../output.ts'
import type { Terminal } from '../terminal.ts'

/** Prints what a restart would do with every execution if the node stopped now. Reads the store only, also beside a running node. */
export async function recoverPlan(
  terminal: Terminal,
  argv: readonly string[],
  format: string,
): Promise<void> {
  const { config } = loadOrRefuse(terminal, argv)
  const nodeId = knownNodeId(config)
  const location = nodeId === null ? null : resolvePaths(config, nodeId).executionStore
  if (location === null || location.type === 'memory') {
    throw new Failure(EXIT.usage, `there is no execution store on disk for ${config.dataDir}`, {
      hint: 'name the repository directory of the node with --repo',
    })
  }
  const { preset, cells, ageRules, keepForMs } = config.recovery
  const decisions: RecoveryDecision[] = []
  const quarantined: string[] = []
  try {
    const store = await openLmdbExecutionStore({ path: location.path, readOnly: true })
    try {
      for await (const page of planRecovery(store, recoveryPolicy({ preset, cells, ageRules, keepForMs }))) {
        decisions.push(...page.decisions)
        quarantined.push(...page.quarantined)
      }
    } finally {
      await store.close()
    }
  } catch (error) {
    if (!isStoreError(error)) throw error
    throw new Failure(EXIT.usage, error.message, { hint: error.hint, cause: error })
  }
  if (format === 'table') {
    terminal.out(`If the node stopped now, its restart would do this (preset ${preset}):\n`)
    if (decisions.length === 0) terminal.out('nothing: no execution is in progress\n')
  }
  if (format !== 'table' || decisions.length > 0) {
    printList(terminal, format, decisions, [
      { name: 'EXECUTION', value: (decision) => shortId(decision.executionId, format === 'csv') },
      { name: 'JOB', value: (decision) => shortId(decision.jobId, format === 'csv') },
      { name: 'TYPE', value: (decision) => decision.jobType },
      { name: 'STATE', value: (decision) => decision.state },
      { name: 'ACTION', value: (decision) => decision.action },
      { name: 'REASON', value: (decision) => decision.reason },
      { name: 'RULE', value: (decision) => decision.rule },
    ])
  }
  for (const id of quarantined)
    terminal.err(`Warning: the record of ${id} is damaged, no restart touches it\n`)
}
