import type { Config } from './config.ts'
import { type RememberedStore, readRememberedStores } from './remembered-stores.ts'
import type { NodeRole } from './settings/node.ts'
import type { StoreFinding } from './store-finding.ts'
import { describeRole, type StoreRole } from './store-role.ts'

/** What the file of a store says of itself before it is opened; what is damaged in it is absent. */
export interface StoreIdentity {
  readonly storeId?: string
  readonly sequence?: number
  /** The ids of all its openings for writing. */
  readonly incarnations?: readonly string[]
}

/** What {@link strangeStores} looks at. */
export interface StrangeStoresOptions {
  readonly config: Config
  readonly nodeId: string
  readonly identities: { readonly [Role in NodeRole]?: StoreIdentity }
  /** Takes what is there: what would be refused is a warning. Default: false. */
  readonly accepted?: boolean
}

/**
 * Finds that the store of a role is another one than the repository remembers, or an older copy of it. What is
 * remembered may lag behind the store, as after a crash; a store that lags behind what is remembered has lost changes.
 */
export function strangeStores({
  config,
  nodeId,
  identities,
  accepted = false,
}: StrangeStoresOptions): readonly StoreFinding[] {
  const remembered = readRememberedStores(config.dataDir)
  return config.roles.flatMap((name) => {
    const identity = identities[name]
    const role = describeRole(config, nodeId, name)
    const stores = remembered?.[name] ?? []
    if (identity?.storeId === undefined || role.memory) return []
    const before =
      stores.find(({ path }) => path === role.path) ??
      stores.find(({ storeId }) => storeId === identity.storeId) ??
      stores[0]
    if (before?.storeId === undefined) return []
    const message = strangeness(role, identity, before)
    return message === null ? [] : [strange(role.path, message, accepted)]
  })
}

function strangeness(role: StoreRole, identity: StoreIdentity, before: RememberedStore): string | null {
  const where = before.path === role.path ? 'that was there' : `that was at ${before.path}`
  if (identity.storeId !== before.storeId) {
    return `the ${role.word} at ${role.path} is another store: its id is ${identity.storeId}, and the one ${where} at the start of ${before.seenAt} had the id ${before.storeId}`
  }
  const { incarnations, sequence } = identity
  const isOlder =
    (incarnations !== undefined &&
      before.incarnation !== undefined &&
      !incarnations.includes(before.incarnation)) ||
    (sequence !== undefined && before.sequence !== undefined && sequence < before.sequence)
  if (!isOlder) return null
  return `the ${role.word} at ${role.path} is an older copy of itself: it lacks what the one ${where} had, which was opened at the start of ${before.seenAt}`
}

function strange(path: string, message: string, accepted: boolean): StoreFinding {
  if (accepted) {
    const hint = 'it is taken as it is, as --accept-stores says'
    return { kind: 'other-store', severity: 'warn', paths: [path], message, hint }
  }
  return {
    kind: 'other-store',
    severity: 'refuse',
    paths: [path],
    message,
    hint: 'put the right one back, mount its volume, move this one aside and restore a backup (which may be this one), or start once with --accept-stores to go on with what is there',
    restoreTo: path,
  }
}
