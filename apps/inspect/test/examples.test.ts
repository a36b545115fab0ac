import { createHash } from 'node:crypto'
import { chownSync, existsSync, lstatSync, readFileSync, writeFileSync } from 'node:fs'
import { examplesOf, processTerminal } from '@saltcod/cli-kit'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { boltBytes } from '../../../test/bolt-writer.ts'
import { createCommandLine } from '../src/cli/program.ts'
import { useFixtureSession } from './fixture-session.ts'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 })

const NOBODY = 65_534
const asRoot = process.getuid?.() === 0

const { program } = createCommandLine(processTerminal(process, { unwritable: 2 }))
const session = useFixtureSession()
let stores: readonly string[]

beforeAll(() => {
  const { fixture } = session
  stores = [
    fixture.jobs,
    fixture.executions,
    session.at('repository/n-1-requester/jobs.db'),
    session.at('repository/n-1-compute/executions.db'),
  ]
  writeFileSync(
    session.at('state_boltdb.db'),
    boltBytes({ jobs: { rows: { 'j-0148d936': { rows: EXECUTIONS } } } }),
  )
  // Another user's stores, with and without a lock file: a root that looks must not take them over.
  if (asRoot) {
    for (const path of stores.flatMap((store) => [store, `${store}-lock`]).filter(existsSync)) {
      chownSync(path, NOBODY, NOBODY)
    }
  }
})

const EXECUTIONS = { executions: { rows: { 'e-1': '{}' } } }

/** Content, owner and mode of the stores, and owner and mode of the lock files that are there. */
function state(): unknown {
  return stores.map((store) => ({
    content: createHash('sha256').update(readFileSync(store)).digest('hex'),
    modified: lstatSync(store).mtimeMs,
    ...facts(store),
    lock: existsSync(`${store}-lock`) ? facts(`${store}-lock`) : facts(store),
  }))
}

function facts(path: string): Record<string, number> {
  const { uid, gid, mode } = lstatSync(path)
  return { uid, gid, mode: mode & 0o777 }
}

/** Splits an example as a shell does, as far as the examples need it. */
function words(example: string): string[] {
  return [...example.matchAll(/'([^']*)'|(\S+)/g)].map((match) => match[1] ?? match[2] ?? '')
}

describe('every example runs, and what only reads leaves the stores as they were', () => {
  for (const command of program.commands) {
    for (const example of examplesOf(command)) {
      // What these need, a whole repository of Bacalhau, is brought by bacalhau-examples.test.ts, which runs them on
      // it.
      if (example.includes('~/.bacalhau')) continue
      test(example, async () => {
        const [program, ...args] = words(example)
        expect(program).toBe('saltcod-inspect')
        const before = state()
        const { status, stdout, stderr } = await session.run(...args)
        expect({ status, stderr }).toEqual({ status: 0, stderr: expect.not.stringContaining('Error') })
        expect(stdout + stderr).not.toBe('')
        expect(state()).toEqual(before)
        if (asRoot && command.name() !== 'completion') expect(lstatSync(stores[0] ?? '').uid).toBe(NOBODY)
      })
    }
  }
})

test('each command has examples, and shows them', async () => {
  for (const command of program.commands) expect(examplesOf(command), command.name()).not.toEqual([])
  for (const command of program.commands.slice(0, 3)) {
    const { stdout } = await session.run(command.name(), '--help')
    for (const example of examplesOf(command)) expect(stdout).toContain(`$ ${example}`)
  }
})
