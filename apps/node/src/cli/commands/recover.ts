import { existsSync } from 'node:fs'
import { outlivesNode } from '@saltcod/bacalhau-records'
import { Failure, type Format, RecoveryPrinter, type Terminal } from '@saltcod/cli-kit'
import { type Config, findStores, makeNodeId, resolvePaths } from '@saltcod/config'
import { planRecovery, recoveryPolicy } from '@saltcod/recovery'
import { isStoreError } from '@saltcod/store-core'
import { openLmdbExecutionStore } from '@saltcod/store-lmdb'
import { EXIT } from '../../exit-code.ts'
import { findingWithCommand } from '../../inspector-command.ts'
import { loadOrRefuse, type NodeFlags } from '../configuration.ts'
import { knownNodeId } from '../node-identity.ts'

/** Options of `recover`. */
export interface RecoverOptions extends NodeFlags {
  readonly output: Format
}

/**
 * Prints what a restart would do with every execution if the node stopped now. Reads the store only, also beside a
 * running node. Throws a `Failure` where a store that was there is gone, since no start goes on then: behind the plan
 * where that is the job store.
 */
export async function recoverPlan(terminal: Terminal, { output, ...flags }: RecoverOptions): Promise<void> {
  const { config } = loadOrRefuse(terminal, flags)
  const nodeId = knownNodeId(config)
  const location = nodeId === null ? null : resolvePaths(config, nodeId).executionStore
  if (nodeId === null) refuseOtherNodes(config)
  if (nodeId === null || location === null || location.type === 'memory') {
    throw new Failure(EXIT.usage, `there is no execution store on disk for ${config.dataDir}`, {
      hint: 'name the repository directory of the node with --repo',
    })
  }
  const gone = findStores({ config, nodeId }).filter(({ kind }) => kind === 'store-gone')
  const refuse = (): never => {
    throw new Failure(EXIT.usage, gone.map(findingWithCommand))
  }
  if (gone.some(({ paths }) => paths.includes(location.path))) refuse()
  if (isRequesterAlone(config, nodeId, location.path)) {
    const listing = new RecoveryPrinter(terminal, { output })
    if (output === 'table')
      terminal.out(
        'This node runs nothing: what it has to do waits in its job store, and its start goes on with it.\n',
      )
    else listing.end()
    return
  }
  const { preset, cells, ageRules, keepForMs } = config.recovery
  if (output === 'table') {
    terminal.out(`If the node stopped now, its restart would do this (preset ${preset}):\n`)
  }
  const listing = new RecoveryPrinter(terminal, { output })
  try {
    const store = await openLmdbExecutionStore({ path: location.path, readOnly: true })
    try {
      const policy = recoveryPolicy({ preset, cells, ageRules, keepForMs })
      await listing.add(planRecovery(store, policy, { outlives: ({ job }) => outlivesNode(job.spec) }))
    } finally {
      await store.close()
    }
  } catch (error) {
    if (!isStoreError(error)) throw error
    throw new Failure(EXIT.usage, error.message, { hint: error.hint, cause: error })
  }
  listing.end()
  if (gone.length > 0) refuse()
}

/** Whose stores there are may be meant, where no id is given. Throws a `Failure` where there are any. */
function refuseOtherNodes(config: Config): void {
  const found = findStores({ config, nodeId: makeNodeId(), idIsNew: true }).filter(
    ({ severity }) => severity === 'refuse',
  )
  if (found.length > 0) throw new Failure(EXIT.usage, found.map(findingWithCommand))
}

/** What is remembered as lost is told before this is asked. */
function isRequesterAlone(config: Config, nodeId: string, executionStore: string): boolean {
  if (!config.roles.includes('compute')) return true
  const { jobStore } = resolvePaths(config, nodeId)
  return !existsSync(executionStore) && jobStore.type !== 'memory' && existsSync(jobStore.path)
}
