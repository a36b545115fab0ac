import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { FAILING_DISK, preloadLibrary } from '@saltcod/store-testing/crash'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'

const SCRIPT = fileURLToPath(new URL('./failed-process.mjs', import.meta.url))

test.for(['never', 'always'])(
  'whatever is asked of a store whose disk fails is answered with an error of the store (a thread for commits: %s)',
  (commitThread, { skip }) => {
    const library = preloadLibrary(FAILING_DISK, temporaryDirectory())
    if (library === undefined) {
      skip('there is no gcc to build the library that lets the disk fail')
      return
    }
    const directory = temporaryDirectory()
    const trigger = join(directory, 'trigger')
    const said = execFileSync(process.execPath, [SCRIPT, join(directory, 'jobs.db'), trigger], {
      encoding: 'utf8',
      env: { ...process.env, LD_PRELOAD: library, FAILING_DISK: trigger, COMMIT_THREAD: commitThread },
    })
    expect(said.trim().split('\n')).toEqual([
      'rewrite StoreError REWRITE_STOPPED',
      'write done',
      'rewrite done',
      'write StoreError OUTCOME_UNKNOWN',
      'writer read StoreError STORE_FAILED',
      'writer statistics StoreError STORE_FAILED',
      'writer backup StoreError STORE_FAILED',
      'reader read StoreError STORE_FAILED',
      'reader statistics StoreError STORE_FAILED',
      'reader backup StoreError STORE_FAILED',
      'rewrite StoreError STORE_FAILED',
    ])
  },
)
