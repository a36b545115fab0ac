import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { failedError } from '@saltcod/store-core/backend'
import { spareDescriptors } from '../file/spare-descriptors.ts'
import { damagedError } from '../refusal.ts'

/** A check that has not come to an end by then is ended; on a busy machine it may take a while. */
const MAX_CHECK_MS = 300_000

/** Signals that somebody else sent; they say nothing about the file. */
const FROM_OUTSIDE: ReadonlySet<string> = new Set(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP'])

/**
 * Runs in the child: opens the file for reading, walks down both edges of every tree, then reads so many rows from
 * both ends of each, so that it says the same of the same file. It is a string, so that it works from the sources,
 * from a build and from a bundle alike. Every listing is read to its end before a table is opened: opening one ends
 * the transaction that an open cursor needs, and a sound file would look damaged.
 */
const CHECK = `
const [module, path] = process.argv.slice(1)
require('node:fs').writeSync(1, 'started')
const { open } = require(module)
const plain = { encoding: 'binary', keyEncoding: 'binary' }
const root = open(path, { ...plain, noSubdir: true, readOnly: true, overlappingSync: false,
  safeRestore: true, maxDbs: 64, permissionsMode: 0o600 })
const names = [...root.getKeys({})]
const tables = names.map((name) => root.openDB(String(name).split('\\0')[0], plain))
root.getStats()
for (const table of tables) {
  for (const reverse of [false, true]) {
    for (const row of table.getRange({ reverse, limit: 20000 })) row.value.length
  }
}
process.exit(0)
`

/**
 * Opens a file with LMDB in a child process first, because a damaged one ends the process that opens it. For files
 * whose last owner died. Throws `STORE_DAMAGED`, `STORE_BUSY` where there are too few descriptors, or `STORE_FAILED`
 * where somebody ended the child. A child that cannot be started checks nothing. `openedBy` is another name of the
 * file by which the child opens it, and which no error has.
 */
export async function checkInChild(path: string, openedBy: string = path): Promise<void> {
  const module = createRequire(import.meta.url).resolve('lmdb')
  const child = spareDescriptors.lend(path, () =>
    spawn(process.execPath, ['--eval', CHECK, module, openedBy], {
      stdio: ['ignore', 'pipe', 'pipe'],
      // Settings of the parent, for instance of a debugger, are not for the child.
      env: {},
      timeout: MAX_CHECK_MS,
      killSignal: 'SIGKILL',
    }),
  )
  let complaint = ''
  // How it ended tells what is wrong, whatever becomes of its last words.
  for (const pipe of [child.stdout, child.stderr]) pipe.on('error', () => undefined)
  child.stderr.setEncoding('utf8')
  child.stderr.on('data', (text: string) => {
    if (complaint.length < 10_000) complaint += text
  })
  let started = false
  child.stdout.once('data', () => {
    started = true
  })
  const end = await new Promise<string | undefined>((resolve) => {
    child.on('error', () => {
      resolve(undefined)
    })
    child.on('close', (code, signal) => {
      resolve(code === 0 ? undefined : (signal ?? `exit code ${code}`))
    })
  })
  if (end === undefined || !started) return
  if (FROM_OUTSIDE.has(end))
    throw failedError(path, new Error(`the process that checked it was ended (${end})`))
  throw damagedError(
    path,
    `opening it in a test process ended that process (${end})`,
    new Error(complaint.trim().replaceAll(openedBy, path)),
  )
}
