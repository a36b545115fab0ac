import { spawnSync } from 'node:child_process'
import { readdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { ProgramSession } from '../../../test/program-session.ts'
import { sharedDirectory } from '../../../test/temporary-directory.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const directory = sharedDirectory()
let session: ProgramSession

beforeAll(() => {
  session = new ProgramSession(new URL('../dist/cli/run.js', import.meta.url))
  expect(spawnSync('mkfifo', [join(directory, 'pipe')]).status).toBe(0)
  symlinkSync('pipe', join(directory, 'link'))
  symlinkSync('circle', join(directory, 'circle'))
})

afterAll(() => session.close())

for (const name of ['pipe', 'link']) {
  for (const [verb, status] of [
    ['summary', 3],
    ['check', 3],
    ['restore', 3],
    ['salvage', 3],
    ['repair', 3],
    ['import', 2],
  ] as const) {
    test(`${verb} refuses a ${name} at once, and writes nothing`, async () => {
      const target = verb === 'summary' || verb === 'check' ? [] : ['made.db']
      const { code, stdout, stderr } = await session.run([verb, name, ...target], { cwd: directory })
      expect({ code, stdout }).toEqual({ code: status, stdout: '' })
      expect(stderr).toContain('is a pipe, a socket or a device, not a file; it was left alone')
      expect(readdirSync(directory).sort()).toEqual(['circle', 'link', 'pipe'])
    })
  }
}

test('a command that has yet to load its modules refuses a pipe too', () => {
  const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))
  const { status, stderr } = spawnSync(process.execPath, [main, 'info', 'pipe'], {
    cwd: directory,
    encoding: 'utf8',
  })
  expect(status).toBe(3)
  expect(stderr).toContain('is a pipe, a socket or a device, not a file; it was left alone')
})

test('an import of what is not there says so', async () => {
  const { code, stderr } = await session.run(['import', 'nothing', 'made.db'], { cwd: directory })
  expect(code).toBe(2)
  expect(stderr).toContain('nothing cannot be read: ENOENT')
})

test('a link to itself is told from a file that another user owns', async () => {
  const { code, stderr } = await session.run(['check', 'circle'], { cwd: directory })
  expect(code).toBe(3)
  expect(stderr).toContain('its links lead in a circle')
})
