import type { Config } from '@saltcod/config'
import {
  ensureNodeId,
  findStores,
  formatFinding,
  formatProblem,
  makeNodeId,
  readNodeId,
} from '@saltcod/config'
import { EXIT } from '../exit-code.ts'
import { Failure } from '../failure.ts'

/** Who a node is, and what its operator should know before it starts. */
export interface NodeIdentity {
  readonly nodeId: string
  readonly warnings: readonly string[]
}

/**
 * Settles the id of a node, and refuses to start beside stores that it would leave behind in silence. Nothing is
 * written where it throws; its `Failure` has every reason, one line each.
 */
export function settleIdentity(config: Config, fresh: boolean): NodeIdentity {
  const proposed = config.nodeId ?? knownNodeId(config) ?? makeNodeId()
  const findings = findStores({ config, nodeId: proposed, fresh })
  const refusals = findings.filter((finding) => finding.severity === 'refuse')
  if (refusals.length > 0) throw new Failure(EXIT.usage, refusals.map(formatFinding))
  const warnings = findings.map(formatFinding)
  if (config.nodeId !== undefined) return { nodeId: config.nodeId, warnings }
  const settled = ensureNodeId(config.dataDir, proposed)
  if ('problem' in settled) throw new Failure(EXIT.usage, formatProblem(settled.problem))
  return { nodeId: settled.nodeId, warnings }
}

/** Returns the id that a node has, without making one; `null` where it has none yet. Throws a `Failure` where it cannot be read. */
export function knownNodeId(config: Config): string | null {
  if (config.nodeId !== undefined) return config.nodeId
  const kept = readNodeId(config.dataDir)
  if ('problem' in kept) throw new Failure(EXIT.usage, formatProblem(kept.problem))
  return kept.nodeId ?? null
}
