import type { Terminal } from '@saltcod/cli-kit'

/** Says how many records a listing lacks because of damage; nothing where it lacks none. */
export function tellMissing(terminal: Terminal, missing: number | undefined): void {
  if (missing === undefined || missing === 0) return
  terminal.err(`Warning: ${missing} missing from this listing: run saltcod-inspect check on the store\n`)
}
