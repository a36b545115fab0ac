import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import {
  type AnsweredRelease,
  BACALHAU_FILES,
  BACALHAU_FILES_MISSING,
  readAnswers,
} from '../../../../test/bacalhau-answers.ts'
import { IS_LONG } from '../../../../test/seed.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { OFFICIAL, officialMissing } from '../official-programs.ts'
import { PROGRAM } from './binary.ts'

const INSPECTOR = fileURLToPath(new URL('../../../inspect/dist/main.js', import.meta.url))
const PROCESS = fileURLToPath(new URL('imported-jobs.mjs', import.meta.url))
const ENDED: readonly unknown[] = ['Completed', 'Failed', 'Stopped']

/** One ended job of each kind and end, or of two kinds alone. */
function someJobs(release: AnsweredRelease): readonly string[] {
  const found = new Map<string, string>()
  for (const [id, { job, executions }] of readAnswers(release)) {
    const { StateType } = job['State'] as { readonly StateType: unknown }
    if (!ENDED.includes(StateType)) continue
    const kind = JSON.stringify([StateType, job['Type'], executions.length])
    if (!found.has(kind)) found.set(kind, id)
  }
  return [...found.values()].slice(0, IS_LONG ? undefined : 2)
}

test.for<'1.9.3' | '1.4.0'>(IS_LONG ? ['1.9.3', '1.4.0'] : ['1.9.3'])(
  'the official command line %s shows imported jobs as the node that ran them does',
  { timeout: 900_000 },
  async (release, { annotate }) => {
    const why =
      BACALHAU_FILES_MISSING ?? officialMissing() ?? (existsSync('/sbin/ip') ? null : 'there is no ip')
    if (why !== null) {
      await annotate(`not compared: ${why}`)
      return
    }
    const jobs = someJobs(release)
    const files = join(BACALHAU_FILES, `bacalhau-${release}`)
    const args = ['-n', process.execPath, PROCESS, release, files, temporaryDirectory(), jobs.join()]
    const { stdout } = await promisify(execFile)('unshare', args, {
      env: { ...process.env, OFFICIAL, SALTCOD: PROGRAM, INSPECTOR },
    })
    const told = JSON.parse(stdout) as { readonly compared: number; readonly differences: readonly string[] }
    expect(told.differences).toEqual([])
    expect(told.compared).toBe(1 + 4 * jobs.length)
  },
)
