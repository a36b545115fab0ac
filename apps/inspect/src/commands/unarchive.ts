import { existsSync } from 'node:fs'
import { Failure, printValue, type Terminal } from '@saltcod/cli-kit'
import { findInArchive } from '@saltcod/compaction'
import { openLmdbJobStore } from '@saltcod/store-lmdb'
import type { ReadOptions } from '../cli/options.ts'
import { EXIT } from '../exit-code.ts'
import { readArchive } from '../store/archive.ts'
import { locateStores } from '../store/locate.ts'
import { openStore } from '../store/open-store.ts'
import { requireStopped } from '../store/require-stopped.ts'

/** Options of `unarchive`. */
export interface UnarchiveOptions extends ReadOptions {
  readonly namespace: string
}

const HOLD = 'restored from the archive'

/**
 * Brings a job of an archive back into a stopped store, after a backup of that. The job is held, so that retention
 * leaves it.
 */
export async function unarchive(
  terminal: Terminal,
  directory: string,
  id: string,
  target: string,
  options: UnarchiveOptions,
): Promise<undefined> {
  const archive = await readArchive(terminal, directory)
  const entry = await findInArchive(archive, id, options.namespace)
  const whole = await archive.get(entry.id)
  if (whole === null) throw new Failure(EXIT.findings, `job ${entry.id} is not in ${archive.path}`)
  const path = await jobStoreOf(target)
  await requireStopped(path, 'ask its node instead: saltcod archive restore')
  const backup = freeBackup(path)
  const store = await openLmdbJobStore({ path })
  try {
    if ((await store.getJob(entry.id)) === null) await store.capabilities.backup?.(backup)
    const job = await store.importJob({ ...whole, hold: HOLD })
    const value = { id: job.id, name: job.name, state: job.state, hold: job.hold, store: path, backup }
    printValue(
      terminal,
      options.output,
      value,
      () => `${job.id} is back in ${path}, and held: ${HOLD}\nthe store as it was: ${backup}\n`,
    )
  } finally {
    await store.close()
  }
  return undefined
}

/** Finds the one store of jobs that an argument means. */
async function jobStoreOf(argument: string): Promise<string> {
  for (const path of await locateStores(argument)) {
    const { kind, kv } = await openStore(path)
    await kv.close()
    if (kind === 'jobs') return path
  }
  throw new Failure(EXIT.usage, `${argument} is no store of jobs`, {
    hint: 'give the jobs.db of a requester, or the repository of a node',
  })
}

function freeBackup(path: string): string {
  let backup = `${path}.before-unarchive`
  for (let number = 2; existsSync(backup); number += 1) backup = `${path}.before-unarchive-${number}`
  return backup
}
