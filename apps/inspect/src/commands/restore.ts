import { randomBytes } from 'node:crypto'
import { chmodSync, constants, copyFileSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { Failure, printValue, type Terminal } from '@saltcod/cli-kit'
import type { ReadOptions } from '../cli/options.ts'
import { EXIT } from '../exit-code.ts'
import { locateStore } from '../store/locate.ts'
import { freePath, publish } from '../store/new-store.ts'
import { requireStopped } from '../store/require-stopped.ts'
import { checkStoreFile } from '../store/store-check.ts'

const MAX_FINDINGS = 5

/** Puts a backup in the place of a store that is not there, after a check of all of it. Never overwrites. */
export async function restore(
  terminal: Terminal,
  source: string,
  target: string,
  options: ReadOptions,
): Promise<undefined> {
  const path = await locateStore(source)
  await requireStopped(path, 'that is the store of a running node; make a backup of it first')
  const final = freePath(target)
  const { findings } = await checkStoreFile(path, MAX_FINDINGS, undefined)
  const [first] = findings
  if (first?.rule === 'store-unreadable') {
    throw new Failure(EXIT.unreadable, `${first.message}; nothing was written`, { hint: first.fix })
  }
  if (first !== undefined) {
    throw new Failure(
      EXIT.findings,
      `the backup ${path} is not sound: ${first.message}; nothing was written`,
      {
        hint: 'run check on it; repair and salvage make a sound file of it',
      },
    )
  }
  const temporary = join(dirname(final), `.${basename(final)}.making-${randomBytes(6).toString('hex')}`)
  try {
    copyFileSync(path, temporary, constants.COPYFILE_EXCL)
    chmodSync(temporary, 0o600)
    publish(temporary, final)
  } finally {
    rmSync(temporary, { force: true })
  }
  printValue(
    terminal,
    options.output,
    { source: path, target: final },
    () => `${final}: restored from ${path}\n`,
  )
  return undefined
}
