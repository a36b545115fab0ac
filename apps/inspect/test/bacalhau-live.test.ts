import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { expect, test, vi } from 'vitest'
import { IS_LONG } from '../../../test/seed.ts'
import { OFFICIAL } from '../../../test/shared-fixtures.ts'
import { temporaryDirectory } from '../../../test/temporary-directory.ts'

vi.setConfig({ testTimeout: 900_000 })

/** How long a node is looked at while it runs jobs. */
const SECONDS = IS_LONG ? 300 : 4

/** Whether a network namespace can be had, in which an official node can call nobody. */
const isolated =
  OFFICIAL !== null && spawnSync('unshare', ['-n', 'true']).status === 0 && existsSync('/sbin/ip')

interface Told {
  readonly runs: number
  readonly jobs: number
  readonly mostJobs: number
  readonly mostCompleted: number
  readonly startsBesideReader: number
  readonly imported: {
    readonly besideNode: string
    readonly jobs: number
    readonly unexplained: string | null
  }
  readonly errors: readonly string[]
}

test.runIf(isolated)(
  'the repository of a running Bacalhau is shown and checked, the node goes on, and its next start is not refused',
  () => {
    const looker = new URL('bacalhau-live-process.mjs', import.meta.url).pathname
    const directory = temporaryDirectory()
    const output = execFileSync('unshare', ['-n', process.execPath, looker, directory, String(SECONDS)], {
      encoding: 'utf8',
      env: { ...process.env, OFFICIAL: OFFICIAL ?? '' },
      timeout: 800_000,
      killSignal: 'SIGKILL',
    })
    const line = output.trim().split('\n').at(-1) ?? ''
    // The figures of the long form are for a person.
    if (SECONDS > 4) process.stdout.write(`${line}\n`)
    const told = JSON.parse(line) as Told
    expect(told.errors).toEqual([])
    expect(told.runs).toBeGreaterThan(0)
    expect(told.mostJobs).toBeGreaterThan(0)
    expect(told.mostJobs).toBeLessThanOrEqual(told.jobs)
    expect(told.mostCompleted).toBeGreaterThan(0)
    expect(told.startsBesideReader).toBe(1)
    expect(told.imported.besideNode).toMatch(
      /^Error: a Bacalhau that runs has .* open .*\nHint: stop it first/,
    )
    if (SECONDS > 4) expect(told.imported).toMatchObject({ jobs: told.jobs, unexplained: '0' })
  },
)
