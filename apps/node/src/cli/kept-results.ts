import type { WireExecution } from '@saltcod/bacalhau-records'
import { bytesText, countOf, shortId } from '@saltcod/cli-kit'
import { stateText } from './words.ts'

/** Results of an execution that lie on its node. */
export interface KeptResults {
  readonly ExecutionID: string
  readonly NodeID: string
  readonly Files: number
  readonly Bytes: number
}

/** Returns the results that executions of the newest version of a job left on their nodes. */
export function keptResults(executions: readonly WireExecution[], version: number): KeptResults[] {
  return executions.flatMap((execution) => {
    const { Type, Params = {} } = execution.PublishedResult
    const isKept =
      Type === 'local' && stateText(execution) === 'Completed' && execution.JobVersion === version
    if (!isKept) return []
    const { Files, Bytes } = Params
    const number = (value: unknown): number => (typeof value === 'number' ? value : 0)
    return { ExecutionID: execution.ID, NodeID: execution.NodeID, Files: number(Files), Bytes: number(Bytes) }
  })
}

/** Returns the command that brings the results of a job. */
export function getCommand(jobId: string): string {
  return `saltcod job get ${shortId(jobId, false)}`
}

/** Says how much there is, and where. */
export function resultsText(results: readonly KeptResults[]): {
  readonly amount: string
  readonly nodes: string
} {
  const sum = (of: (one: KeptResults) => number): number => results.reduce((all, one) => all + of(one), 0)
  const nodes = [...new Set(results.map(({ NodeID }) => shortId(NodeID, false)))]
  return {
    amount: `${countOf(
      sum(({ Files }) => Files),
      'file',
    )}, ${bytesText(sum(({ Bytes }) => Bytes))}`,
    nodes: nodes.length > 3 ? `${nodes.length} nodes` : nodes.join(', '),
  }
}
