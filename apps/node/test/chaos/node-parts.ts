import { readlinkSync } from 'node:fs'
import { KEEPER_VARIABLE, MARKER_VARIABLE, RUNNER_VARIABLE } from '../../src/compute/keeper/marker.ts'
import {
  childrenOf,
  environmentValue,
  readName,
  readProcess,
} from '../../src/compute/keeper/process-table.ts'

/**
 * What a process below a node is: `holder` and `first` of a namespace, `launcher` what starts programs in them,
 * `entry` the process with which a job begins outside.
 */
export type PartKind = 'node' | 'keeper' | 'runner' | 'launcher' | 'holder' | 'first' | 'entry' | 'program'

/** A process of a node. */
export interface NodePart {
  readonly kind: PartKind
  readonly pid: number
  readonly startTime: string
  /** The executions whose processes share its namespace; none where it belongs to no job, or that is not known. */
  readonly executions: readonly string[]
}

/** Looks at a node and all below it. What ends meanwhile may be missing. */
export function partsOf(nodePid: number): NodePart[] {
  const found: Omit<NodePart, 'executions'>[] = []
  const visit = (pid: number, kind: PartKind): void => {
    const entry = readProcess(pid)
    if (entry === undefined) return
    found.push({ kind, pid, startTime: entry.startTime })
    for (const child of childrenOf(pid)) {
      const below = kindBelow(kind, child)
      if (below !== undefined) visit(child, below)
    }
  }
  visit(nodePid, 'node')
  const byNamespace = new Map<string, Set<string>>()
  const own = namespaceOf(nodePid)
  for (const { pid, kind } of found) {
    if (kind === 'launcher') continue
    const [execution] = environmentValue(pid, MARKER_VARIABLE)?.split(':') ?? []
    const namespace = namespaceOf(pid)
    if (execution === undefined || namespace === undefined) continue
    byNamespace.set(namespace, (byNamespace.get(namespace) ?? new Set()).add(execution))
  }
  return found.map((part) => {
    // Its next child would be in the namespace of the last one.
    if (part.kind === 'launcher') return { ...part, executions: [] }
    const namespace = namespaceOf(part.pid)
    const [execution] = environmentValue(part.pid, MARKER_VARIABLE)?.split(':') ?? []
    const shared = namespace === undefined || namespace === own ? [] : (byNamespace.get(namespace) ?? [])
    return { ...part, executions: [...new Set([...shared, ...(execution === undefined ? [] : [execution])])] }
  })
}

function kindBelow(parent: PartKind, pid: number): PartKind | undefined {
  if (parent === 'node') return environmentValue(pid, KEEPER_VARIABLE) === undefined ? undefined : 'keeper'
  if (parent === 'holder') return 'first'
  if (parent !== 'keeper') return 'program'
  if (environmentValue(pid, MARKER_VARIABLE) !== undefined) return 'entry'
  if (environmentValue(pid, RUNNER_VARIABLE) === undefined) return undefined
  const name = readName(pid)
  if (name === 'perl') return 'launcher'
  return name === 'unshare' ? 'holder' : 'runner'
}

/** A holder, and what waits for a job outside, are not in its namespace themselves, but their children are. */
function namespaceOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid_for_children`) || undefined
  } catch {
    return undefined
  }
}

/** Kills a part, if it still is what it was. Returns whether it was there. */
export function killPart({ pid, startTime }: NodePart): boolean {
  if (readProcess(pid)?.startTime !== startTime) return false
  try {
    return process.kill(pid, 'SIGKILL')
  } catch {
    return false
  }
}
