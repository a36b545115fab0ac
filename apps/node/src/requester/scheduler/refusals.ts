import { countOf, oneLine } from '@saltcod/cli-kit'

const MOST_LINES = 10
const MOST_NAMED = 3
const MOST_IN_REASON = 300

/**
 * Writes why each node does not do a share of a job, one line for each reason, with the nodes that have it. The same
 * refusals give the same text, and it is shorter than a message may be.
 */
export function refusalLines(refusals: ReadonlyMap<string, string>): string {
  const nodesOf = new Map<string, string[]>()
  const nodesOfReason = new Map<string, string[]>()
  for (const [nodeId, reason] of refusals) {
    let nodeIds = nodesOfReason.get(reason)
    if (nodeIds === undefined) {
      const said = cut(oneLine(reason))
      nodeIds = nodesOf.get(said) ?? []
      nodesOf.set(said, nodeIds)
      nodesOfReason.set(reason, nodeIds)
    }
    nodeIds.push(nodeId)
  }
  const lines: string[] = []
  let bytes = 0
  for (const [reason, nodeIds] of nodesOf) {
    const line = `\n• ${nodesText(nodeIds)}: ${reason}`
    bytes += line.length
    if (lines.length >= MOST_LINES || bytes > MOST_LINES * 150) break
    lines.push(line)
  }
  const left = nodesOf.size - lines.length
  if (left > 0) lines.push(`\n• and ${countOf(left, 'other reason')}`)
  return lines.join('')
}

function nodesText(nodeIds: readonly string[]): string {
  const [first] = nodeIds
  if (nodeIds.length === 1) return `Node ${first}`
  const named = nodeIds.slice(0, MOST_NAMED).join(', ')
  const others = nodeIds.length - MOST_NAMED
  return `Each of ${nodeIds.length} nodes (${named}${others > 0 ? ` and ${others} more` : ''})`
}

function cut(text: string): string {
  return text.length > MOST_IN_REASON ? `${text.slice(0, MOST_IN_REASON)}…` : text
}
