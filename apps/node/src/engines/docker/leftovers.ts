import { existsSync } from 'node:fs'
import { bootId } from '../../compute/keeper/process-table.ts'
import type { RunIdentity, UnwantedRun } from '../engine.ts'
import { containerName, identityOf, LABELS, mountNamespace } from './container-name.ts'
import type { Owner } from './container-spec.ts'
import { removeContainer } from './container-state.ts'
import { listOf, objectOf, textOf, textsOf } from './said.ts'
import { isUnanswered, oneLine, type SocketApi } from './socket-api.ts'
import { endUnwanted } from './unwanted-container.ts'

interface ListedContainer {
  readonly Id: string
  readonly Names: readonly string[]
  readonly Labels: Readonly<Record<string, string>>
}

function readListed(said: unknown): ListedContainer {
  const { Id, Names, Labels } = objectOf(said)
  return { Id: textOf(Id), Names: listOf(Names).map(textOf), Labels: textsOf(Labels) }
}

/** What tells what is left over. */
export interface LeftoverOptions {
  /** Tells whether a container of this node is one that something is still to be done with. */
  readonly isWanted: (identity: RunIdentity) => Promise<boolean>
  /** Tells where the log of one is kept that is not; undefined where it is kept nowhere. */
  readonly unwanted: (identity: RunIdentity) => Promise<UnwantedRun | undefined>
}

/** What came of containers that nobody wants any more, by their names. */
export interface LeftoverReport {
  readonly removed: readonly string[]
  /** Each with what its server said of it. */
  readonly stuck: readonly string[]
}

/**
 * Removes the containers of runs that nobody wants any more: those of this node whose execution has ended or goes on
 * with another attempt, and those of nodes whose directory is gone. One that its server does not remove is no reason
 * to leave the others.
 */
export async function removeLeftovers(
  api: SocketApi,
  { nodeId, dataDir }: Owner,
  { isWanted, unwanted }: LeftoverOptions,
): Promise<LeftoverReport> {
  const filters = JSON.stringify({ label: [LABELS.node] })
  const listed = await api.ask<unknown>({ path: '/containers/json', query: { all: '1', filters } })
  const removed: string[] = []
  const stuck: string[] = []
  for (const { Id, Names, Labels } of listOf(listed).map(readListed)) {
    const identity = identityOf(Labels, Names)
    if (identity === undefined) continue
    const place = Labels[LABELS.place] ?? ''
    // Who sees other files cannot tell; but nothing of an earlier boot runs, or is gone on with.
    const isSeen = Labels[LABELS.mounts] === mountNamespace() || Labels[LABELS.boot] !== bootId()
    const isGone = place !== '' && isSeen && !existsSync(place)
    // A directory that was moved brings its node along.
    const isOwn = Labels[LABELS.node] === nodeId && (place === dataDir || isGone)
    if (isOwn ? await isWanted(identity) : !isGone) continue
    const name = containerName(identity)
    const run = isOwn ? await unwanted(identity) : undefined
    try {
      if (run === undefined) await removeContainer(api, Id)
      else await endUnwanted(api, run)
      removed.push(name)
    } catch (error) {
      // Nothing can be said of the others either.
      if (isUnanswered(error)) throw error
      stuck.push(`${name}: ${oneLine(error)}`)
    }
  }
  return { removed, stuck }
}
