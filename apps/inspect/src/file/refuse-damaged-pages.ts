import { Failure } from '@saltcod/cli-kit'
import { EXIT } from '../exit-code.ts'
import { careHint } from '../store/unreadable-store.ts'
import { checkPages } from './check-pages.ts'

/**
 * Refuses a stopped store with damaged pages: LMDB passes over their rows without a word, and a copy would lack them.
 * Throws a `Failure`.
 */
export function refuseDamagedPages(path: string): void {
  const [first] = checkPages(path, 1).structure
  if (first === undefined) return
  throw new Failure(EXIT.unreadable, `the pages of ${path} are damaged: ${first.message}`, {
    hint: careHint(path),
  })
}
