import { existsSync } from 'node:fs'
import { Failure } from '@saltcod/cli-kit'
import type { Config } from '@saltcod/config'
import {
  ensureNodeId,
  findStores,
  formatProblem,
  makeNodeId,
  readNodeId,
  resolvePaths,
  type StoreFinding,
  type StoreIdentity,
  type StoreLocation,
  strangeStores,
} from '@saltcod/config'
import { isStoreError } from '@saltcod/store-core'
import { readStoreMark } from '@saltcod/store-lmdb'
import { EXIT } from '../exit-code.ts'
import { findingWithCommand } from '../inspector-command.ts'
import { refuseBadFiles } from '../open-stores.ts'
import { rememberNodeStores } from '../store-memory.ts'
import { importHint } from './import-hint.ts'

/** Who a node is, and what its operator should know before it starts. */
export interface NodeIdentity {
  readonly nodeId: string
  readonly warnings: readonly string[]
}

/** What an operator says of the stores that a node starts with. */
export interface StoreConsent {
  /** Begin an empty store where there is none. */
  readonly fresh: boolean
  /** Take the stores that are there, whatever is remembered. */
  readonly acceptStores: boolean
}

/**
 * Settles the id of a node, and refuses a configuration, files or a neighbourhood that it must not start with.
 * Nothing is written where it throws; its `Failure` has every reason, one line each.
 */
export function settleIdentity(config: Config, { fresh, acceptStores }: StoreConsent): NodeIdentity {
  const takesJobs = config.roles.includes('requester')
  if (!takesJobs && config.compute.orchestrators.length === 0) {
    throw new Failure(EXIT.usage, 'a node without the role requester needs the address of its requester', {
      hint: 'name it with --orchestrators http://HOST:PORT, or let the node be both: --node-type requester,compute',
    })
  }
  const known = knownNodeId(config)
  const proposed = known ?? makeNodeId()
  const findings = [...findStores({ config, nodeId: proposed, idIsNew: known === null, fresh })]
  const { jobStore, executionStore } = resolvePaths(config, proposed)
  const computes = config.roles.includes('compute')
  if (!findings.some(isRefusal)) {
    const identities = {
      ...(takesJobs ? { requester: identityOf(jobStore) } : {}),
      ...(computes ? { compute: identityOf(executionStore) } : {}),
    }
    findings.push(...strangeStores({ config, nodeId: proposed, identities, accepted: acceptStores }))
  }
  const refusals = findings.filter(isRefusal)
  // What is wrong with the file of one store says more than that the other is gone.
  if (refusals.every(({ kind }) => kind === 'store-gone')) {
    refuseBadFiles([...(takesJobs ? [jobStore] : []), ...(computes ? [executionStore] : [])])
  }
  if (refusals.length > 0) {
    throw new Failure(EXIT.usage, refusals.map(findingWithCommand), { hint: importHint(config, refusals) })
  }
  const warnings = findings.map(findingWithCommand)
  const nodeId = config.nodeId ?? keepNodeId(config, proposed)
  return {
    nodeId,
    warnings: [...warnings, ...rememberNodeStores({ config, nodeId, fresh, nowMs: Date.now() })],
  }
}

function isRefusal({ severity }: StoreFinding): boolean {
  return severity === 'refuse'
}

/** What cannot be told of a file before it is opened is no reason to refuse it: its opening says what is wrong. */
function identityOf(location: StoreLocation): StoreIdentity {
  if (location.type === 'memory') return {}
  const { path } = location
  // Of a rewrite that was cut short the newest state may be beside the path.
  if (!existsSync(path) || [`${path}.prev`, `${path}.rewrite-swap`].some((beside) => existsSync(beside)))
    return {}
  try {
    return readStoreMark(path)
  } catch (error) {
    if (!isStoreError(error)) throw error
    return {}
  }
}

function keepNodeId(config: Config, proposed: string): string {
  const settled = ensureNodeId(config.dataDir, proposed)
  if ('problem' in settled) throw new Failure(EXIT.usage, formatProblem(settled.problem))
  return settled.nodeId
}

/**
 * Returns the id that a node has, without making one; `null` where it has none yet. Throws a `Failure` where it cannot
 * be read.
 */
export function knownNodeId(config: Config): string | null {
  if (config.nodeId !== undefined) return config.nodeId
  const kept = readNodeId(config.dataDir)
  if ('problem' in kept) throw new Failure(EXIT.usage, formatProblem(kept.problem))
  return kept.nodeId ?? null
}
