import type { Candidates } from '@saltcod/cli-kit'
import { Argument, type Option } from 'commander'

/** Arguments that are paths; all others are words of a store. */
const PATHS = new Set(['store', 'file', 'target', 'other', 'archive', 'backup', 'export'])

/** Tells what a shell may offer where the declaration of an argument does not say it. */
export function candidatesOf(place: Argument | Option): Candidates | undefined {
  return place instanceof Argument && PATHS.has(place.name()) ? { files: true } : undefined
}
