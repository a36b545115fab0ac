import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { completedJob, jobStoreBytes } from '../../../test/bacalhau-writer.ts'
import { ProgramSession } from '../../../test/program-session.ts'
import { temporaryDirectory } from '../../../test/temporary-directory.ts'

const GUIDE = readFileSync(new URL('../../../docs/operations.md', import.meta.url), 'utf8')

test('the commands for moving from Bacalhau do what is said of them', async () => {
  const directory = temporaryDirectory()
  const source = join(directory, 'bacalhau')
  mkdirSync(join(source, 'orchestrator_store'), { recursive: true })
  const store = jobStoreBytes({ 'j-1': completedJob('j-1', { Name: 'old' }) }, { earlier: true })
  writeFileSync(join(source, 'orchestrator_store', 'jobs.db'), store)
  const block = /### Moving from Bacalhau\n\n```sh\n([^`]*)```/.exec(GUIDE)?.[1] ?? ''
  const lines = block.trim().split('\n')
  const session = new ProgramSession(new URL('../dist/cli/run.js', import.meta.url))
  const outputs: string[] = []
  try {
    for (const line of lines) {
      const [program, ...words] = line
        .replaceAll('~/.bacalhau', source)
        .replaceAll('/var/lib/saltcod', join(directory, 'saltcod'))
        .split(' ')
      expect(program).toBe('saltcod-inspect')
      const { code, stdout, stderr } = await session.run(words, { cwd: '/' })
      expect([line, code, stderr]).toEqual([line, 0, ''])
      outputs.push(stdout)
    }
  } finally {
    await session.close()
  }
  expect(outputs[0]).toContain('nothing was written')
  expect(outputs[1]).toContain('imported')
  expect(outputs[3]).toContain('old')
})
