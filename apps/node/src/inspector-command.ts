import { shellWord } from '@saltcod/cli-kit'
import { formatFinding, type StoreFinding } from '@saltcod/config'
import type { StoreError } from '@saltcod/store-core'

const COMMANDS: {
  readonly [Remedy in NonNullable<StoreError['details']['remedy']>]: ((path: string) => string) | null
} = {
  check: (path) => `saltcod-inspect check ${shellWord(path)}`,
  read: (path) => `saltcod-inspect check ${shellWord(path)}`,
  restore: null,
  repair: (path) => `saltcod-inspect repair ${shellWord(path)} --in-place`,
}

/**
 * Returns what can be done about an error of a store, with the command for it; `path` stands for a store whose place
 * the error does not tell.
 */
export function hintWithCommand({ hint, details }: StoreError, path: string = 'STORE'): string | undefined {
  if (details.remedy === undefined) return hint
  const command = COMMANDS[details.remedy]?.(details.path ?? path)
  if (command === undefined) return hint
  return hint === undefined ? command : `${hint}: ${command}`
}

/** Writes a finding about the stores as one line, with the command that restores a backup where one may be. */
export function findingWithCommand(finding: StoreFinding): string {
  const { hint, restoreTo } = finding
  if (restoreTo === undefined) return formatFinding(finding)
  return formatFinding({
    ...finding,
    hint: `${hint}; a backup is restored with saltcod-inspect restore BACKUP ${shellWord(restoreTo)}`,
  })
}
