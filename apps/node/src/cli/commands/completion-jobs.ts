import type { Terminal } from '@saltcod/cli-kit'
import type { NodeFlags } from '../configuration.ts'
import { clientFor } from '../configuration.ts'

const MOST_JOBS = 50
const PATIENCE_MS = 1_000

/** Prints the ids of the newest jobs, a line each; nothing where no node answers within a second. */
export async function completionJobs(terminal: Terminal, flags: NodeFlags): Promise<void> {
  try {
    // Whoever completes a word is asked for nothing.
    const unasked = { ...terminal, secret: async () => null }
    const listing = clientFor(unasked, flags).listJobs({ limit: MOST_JOBS, reverse: true })
    const late = new Promise<null>((resolve) => setTimeout(() => resolve(null), PATIENCE_MS).unref())
    const page = await Promise.race([listing, late])
    for (const { ID } of page?.Items ?? []) terminal.out(`${ID}\n`)
  } catch {
    // A shell that completes has no place for an error.
  }
}
