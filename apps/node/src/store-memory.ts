import { Failure } from '@saltcod/cli-kit'
import { type Config, type OpenedStore, type OpenedStores, rememberStores } from '@saltcod/config'
import type { ExecutionStore, JobStore } from '@saltcod/store-core'
import { EXIT } from './exit-code.ts'
import { findingWithCommand } from './inspector-command.ts'

/** What a start tells {@link rememberNodeStores}. */
export interface RememberNodeStores {
  readonly config: Config
  readonly nodeId: string
  /** The stores are open, and say what they are. */
  readonly opened?: OpenedStores
  /** Both stores were worked with. */
  readonly met?: boolean
  /** Another store than the one that is remembered may begin: the repository must have forgotten that one before. */
  readonly fresh?: boolean
  readonly nowMs: number
}

/**
 * Makes the repository remember the stores that a node has. Returns what its operator should know, a line each: where
 * stores lie elsewhere, a repository that takes nothing is no reason not to start. Throws a `Failure` where it is one.
 */
export function rememberNodeStores({ fresh = false, ...options }: RememberNodeStores): readonly string[] {
  try {
    return rememberStores(options).map(findingWithCommand)
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error)
    const where = options.config.dataDir
    if (!fresh) return [`where the stores are cannot be remembered in ${where}: ${what}`]
    throw new Failure(EXIT.usage, `the stores that were there cannot be forgotten in ${where}: ${what}`, {
      hint: 'let this user write to the repository directory; nothing was begun',
      cause: error,
    })
  }
}

/** Returns what the open stores of a node say of themselves; nothing of a store whose row with its id is damaged. */
export async function openedStores(stores: {
  readonly jobs: JobStore | undefined
  readonly executions: ExecutionStore | undefined
}): Promise<OpenedStores> {
  const look = async (store: JobStore | ExecutionStore | undefined): Promise<OpenedStore | undefined> => {
    if (store === undefined) return undefined
    const { storeId, sequence, incarnations } = await store.info()
    if (storeId === '') return undefined
    const [newest] = incarnations.toSorted((a, b) => b.firstSequence - a.firstSequence)
    return { storeId, ...(newest === undefined ? {} : { incarnation: newest.id }), sequence }
  }
  return { requester: await look(stores.jobs), compute: await look(stores.executions) }
}
