import { readlinkSync } from 'node:fs'
import type { RunIdentity } from '../engine.ts'

/** The labels of containers; set at their creation, where they are stronger than those of an image. */
export const LABELS = {
  node: 'saltcod.node',
  execution: 'saltcod.execution',
  attempt: 'saltcod.attempt',
  job: 'saltcod.job',
  /** Where the node keeps its runs. */
  place: 'saltcod.place',
  /** The boot of the machine in which it was made. */
  boot: 'saltcod.boot',
  /** Who sees the same files as whoever made it. */
  mounts: 'saltcod.mounts',
} as const

const PREFIX = 'saltcod-'

/** The mount namespace of this process; empty where the system has none. */
export function mountNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/mnt')
  } catch {
    return ''
  }
}

/** The name of the container of a run, by which a restart finds it again: only one can have it. */
export function containerName({ executionId, attempt }: RunIdentity): string {
  return `${PREFIX}${executionId}-${attempt}`
}

/**
 * Returns which run a container is of, where its labels and its name agree: an image may bring any labels along, and
 * gets no container of another one removed by that. Undefined where it is of none.
 */
export function identityOf(
  labels: Readonly<Record<string, string>> | null | undefined,
  names: readonly string[],
): RunIdentity | undefined {
  const executionId = labels?.[LABELS.execution]
  const attempt = Number(labels?.[LABELS.attempt])
  if (executionId === undefined || !Number.isSafeInteger(attempt)) return undefined
  const name = containerName({ executionId, attempt })
  return names.some((given) => given.replace(/^\//, '') === name) ? { executionId, attempt } : undefined
}
