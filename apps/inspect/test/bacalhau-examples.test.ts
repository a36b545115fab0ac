import { join } from 'node:path'
import { examplesOf, processTerminal } from '@saltcod/cli-kit'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { BACALHAU_FILES, BACALHAU_FILES_MISSING } from '../../../test/bacalhau-answers.ts'
import { ProgramSession } from '../../../test/program-session.ts'
import { sharedDirectory } from '../../../test/temporary-directory.ts'
import { createCommandLine } from '../src/cli/program.ts'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 })

const directory = sharedDirectory()
const repository = join(BACALHAU_FILES, 'bacalhau-1.9.3')
const { program } = createCommandLine(processTerminal(process, { unwritable: 2 }))

/** Those that need a repository of Bacalhau; what compares an import comes after it. */
const examples = program.commands
  .flatMap((command) => examplesOf(command))
  .filter((example) => example.includes('~/.bacalhau'))
  .sort((a, b) => Number(a.includes('diff')) - Number(b.includes('diff')))

let session: ProgramSession
beforeAll(() => {
  session = new ProgramSession(new URL('../dist/cli/run.js', import.meta.url))
})
afterAll(async () => await session.close())

test('there are examples for each thing that is done with files of Bacalhau', () => {
  const verbs = new Set(examples.map((example) => example.split(' ')[1]))
  expect([...verbs].sort()).toEqual([
    'check',
    'diff',
    'export',
    'import',
    'info',
    'jobs',
    'stats',
    'summary',
    'why',
  ])
})

test.skipIf(BACALHAU_FILES_MISSING !== null).for(examples)('%s', async (example) => {
  const [, ...args] = example.replace('~/.bacalhau', repository).split(' ')
  const { code, stdout, stderr } = await session.run(args, { cwd: directory })
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringContaining('Error') })
  expect(stdout).not.toBe('')
})
