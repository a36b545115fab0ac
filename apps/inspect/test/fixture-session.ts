import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { ProgramSession } from '../../../test/program-session.ts'
import { type Fixture, makeFixture, type Ran } from './fixture.ts'

/** The commands of a test file, all in one process, in the directory of a fixture of its own. */
export interface FixtureSession {
  /** The fixture; there from the first `beforeAll` on. */
  readonly fixture: Fixture
  run(...args: readonly string[]): Promise<Ran>
  /** Runs a command and reads its JSON; fails where it did not end well. */
  runJson<T>(...args: readonly string[]): Promise<T>
  /** A path in the directory of the fixture. */
  at(name: string): string
}

/** Makes a fixture before the tests of a file and removes it after them. */
export function useFixtureSession(): FixtureSession {
  let fixture: Fixture | undefined
  let session: ProgramSession | undefined
  beforeAll(async () => {
    fixture = await makeFixture()
    session = new ProgramSession(new URL('../dist/cli/run.js', import.meta.url))
  })
  afterAll(async () => {
    await session?.close()
    await fixture?.remove()
  })
  const made = (): Fixture => {
    if (fixture === undefined) throw new Error('the fixture is made before the tests')
    return fixture
  }
  const run = async (...args: readonly string[]): Promise<Ran> => {
    if (session === undefined) throw new Error('the session begins before the tests')
    const { code, ...written } = await session.run(args, { cwd: made().directory })
    return { status: code, ...written }
  }
  return {
    get fixture() {
      return made()
    },
    run,
    runJson: async <T>(...args: readonly string[]): Promise<T> => {
      const ran = await run(...args, '--output', 'json')
      if (ran.status !== 0) throw new Error(`exit code ${ran.status}: ${ran.stderr}`)
      return JSON.parse(ran.stdout) as T
    },
    at: (name) => join(made().directory, name),
  }
}
