import type { Task } from '@saltcod/bacalhau-records'
import { local } from './local/local.ts'
import { noop } from './noop/noop.ts'
import type { PublisherKind } from './publisher-kind.ts'

/** All publishers that there are. */
export const PUBLISHER_KINDS: readonly PublisherKind[] = [local, noop]

/** The publishers that a job may name: those, and the ones of Bacalhau's releases, which a node may get yet. */
export const PUBLISHER_NAMES: readonly string[] = [
  ...PUBLISHER_KINDS.map(({ type }) => type),
  's3',
  's3Managed',
  'ipfs',
  'estuary',
]

/** Finds the kind of publisher that a job names, where none is `noop`; `undefined` where this program knows none. */
export function publisherKind(type: string): PublisherKind | undefined {
  const wanted = type.trim().toLowerCase()
  return wanted === '' ? noop : PUBLISHER_KINDS.find((kind) => kind.type === wanted)
}

/** Tells whether a run of a task that ended well has something to publish, by a publisher that nobody knows too. */
export function hasResults({ Publisher, ResultPaths }: Task): boolean {
  return publisherKind(Publisher.Type)?.always !== false || ResultPaths.length > 0
}
