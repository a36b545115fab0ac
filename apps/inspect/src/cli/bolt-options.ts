import { existsSync } from 'node:fs'
import { Failure, printable } from '@saltcod/cli-kit'
import type { Command } from 'commander'
import { EXIT } from '../exit-code.ts'
import type { ListOptions } from './options.ts'

/** Returns the BoltDB file that an argument means, or undefined where it means something else. */
export async function boltFileOf(argument: string): Promise<string | undefined> {
  const { boltArgument } = await import('../bolt/bolt-argument.ts')
  return await boltArgument(argument)
}

/**
 * Lists the BoltDB files that an argument means: one, or all of a node of Bacalhau; none where it means something
 * else.
 */
export async function boltFilesOf(argument: string): Promise<readonly string[]> {
  const one = await boltFileOf(argument)
  if (one !== undefined) return [one]
  const { bacalhauPaths } = await import('../bacalhau/bacalhau-files.ts')
  const { ownPaths } = await import('../store/locate.ts')
  if (bacalhauPaths(argument).length === 0 || (await ownPaths(argument)).length > 0) return []
  return bacalhauPaths(argument, { withLost: true })
}

/** How much of a listing of a BoltDB file is wanted: all, as `bbolt` prints it, unless a limit is given. */
export function boltPaging(
  { limit, all, cursor }: ListOptions,
  command: Command,
): { readonly limit: number | null; readonly cursor: string | undefined } {
  const given = command.getOptionValueSource('limit') === 'cli'
  return { limit: all === true || !given ? null : limit, cursor }
}

/** Refuses what only a BoltDB file has: buckets in buckets. Throws a `Failure`. */
export function refuseNested(file: string, names: readonly string[]): void {
  const [first] = names
  // What is not there is told as such.
  if (first === undefined || !existsSync(file)) return
  throw new Failure(EXIT.usage, `${printable(first)} is one argument too many`, {
    hint: 'buckets are nested in a BoltDB file alone; those of a store of ours are table or index/NAME',
  })
}

/** Refuses what is no BoltDB file. Throws a `Failure`. */
export function refuseOther(argument: string, hint: string): never {
  throw new Failure(EXIT.usage, `${printable(argument)} is no BoltDB file`, { hint })
}
