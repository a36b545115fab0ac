import { statSync } from 'node:fs'

import type { Environment } from './environment.ts'

/** An environment with a share in it; `release` closes it with the last share. */
export interface SharedEnvironment {
  readonly environment: Environment
  readonly release: () => Promise<void>
}

interface Entry {
  key: string
  environment: Promise<Environment>
  opened?: Environment
  shares: number
}

/**
 * All environments of this process, by file. LMDB's locks belong to the process: opening a file a second
 * time, or only closing a second descriptor of its lock file, would drop them. So there is one environment
 * for each file, also where two copies of this package are loaded.
 */
const REGISTRY: unique symbol = Symbol.for('@saltcod/store-lmdb.environments')

/** Takes a share in the environment of a file, opened by `open` if nobody in this process has it open. */
export async function openShared(path: string, open: () => Promise<Environment>): Promise<SharedEnvironment> {
  const key = keyOf(path)
  let entry = registry().get(key)
  if (entry === undefined) {
    entry = { key, environment: open(), shares: 0 }
    registry().set(key, entry)
  }
  entry.shares += 1
  try {
    entry.opened = await entry.environment
    return shareOf(entry, entry.opened)
  } catch (error) {
    unregister(entry)
    throw error
  }
}

/** To be called after an environment opened another file at its path. */
export function noteMove(environment: Environment): void {
  for (const entry of registry().values()) {
    if (entry.opened !== environment) continue
    unregister(entry)
    entry.key = keyOf(environment.path)
    // Whoever opened the new file by itself keeps its entry; LMDB counts how often it has a file open.
    if (!registry().has(entry.key)) registry().set(entry.key, entry)
    return
  }
}

/** Tells whether this process has a file open. */
export function isOpenHere(path: string): boolean {
  return registry().has(keyOf(path))
}

/** Tells whether this process has a file open that had a path when it was opened, wherever that file is now. */
export function wasOpenedHere(path: string): boolean {
  return [...registry().values()].some(({ opened }) => opened?.path === path)
}

function shareOf(entry: Entry, environment: Environment): SharedEnvironment {
  let released = false
  return {
    environment,
    release: async () => {
      if (released) return
      released = true
      entry.shares -= 1
      if (entry.shares > 0) return
      unregister(entry)
      await environment.close()
    },
  }
}

function unregister(entry: Entry): void {
  if (registry().get(entry.key) === entry) registry().delete(entry.key)
}

function keyOf(path: string): string {
  const { dev, ino } = statSync(path, { bigint: true })
  return `${dev}:${ino}`
}

function registry(): Map<string, Entry> {
  const holder = globalThis as { [REGISTRY]?: Map<string, Entry> }
  holder[REGISTRY] ??= new Map<string, Entry>()
  return holder[REGISTRY]
}
