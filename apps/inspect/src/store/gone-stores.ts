import { complain, oneLine, shellWord, type Terminal } from '@saltcod/cli-kit'
import { isDirectory } from './locate.ts'

/**
 * Complains of the stores that a repository directory remembers and that are gone, so that the others are not taken
 * for all there is; of each once, with `told` kept by the caller. Resolves with the number of them.
 */
export async function tellGoneStores(
  terminal: Terminal,
  argument: string,
  told: Set<string> = new Set(),
): Promise<number> {
  if (!isDirectory(argument)) return 0
  const { goneStores } = await import('@saltcod/config')
  const gone = goneStores(argument)
  for (const { message, hint, paths, restoreTo } of gone) {
    if (paths.every((path) => told.has(path))) continue
    for (const path of paths) told.add(path)
    complain(
      terminal,
      oneLine(message),
      oneLine(
        `${hint}; a backup is restored with saltcod-inspect restore BACKUP ${shellWord(restoreTo ?? 'TARGET')}`,
      ),
    )
  }
  return gone.length
}
