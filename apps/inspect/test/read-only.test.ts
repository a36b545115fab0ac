import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { mountSmallDisk } from '../../../test/small-disk.ts'
import { useFixtureSession } from './fixture-session.ts'

const session = useFixtureSession()

/** A read-only file system with a copy of the repository; `undefined` where this user may not mount one. */
function readOnlyCopy(): string | undefined {
  const disk = session.at('read-only')
  mkdirSync(disk)
  if (!mountSmallDisk('64m', disk)) return undefined
  cpSync(session.at('repository'), disk, { recursive: true })
  execFileSync('mount', ['-o', 'remount,ro', disk], { stdio: 'ignore' })
  return disk
}

test('on a read-only file system everything can be read, and a wish to write there is refused', async ({
  skip,
}) => {
  const disk = readOnlyCopy()
  if (disk === undefined) {
    skip('this user may not mount a file system')
    return
  }
  for (const words of [['summary'], ['check'], ['recover', '--plan'], ['info']]) {
    const [verb = '', ...rest] = words
    const { status, stderr } = await session.run(verb, disk, ...rest)
    expect({ words, status, stderr }).toEqual({ words, status: 0, stderr: '' })
  }
  const store = join(disk, 'n-1-requester/jobs.db')
  const target = join(disk, 'target.db')
  const writing = [
    ['backup', store, target],
    ['salvage', store, target],
    ['compact', store, target],
    ['restore', session.fixture.jobs, target],
    ['repair', store, '--in-place'],
    ['export', store, target],
  ] as const
  for (const words of writing) {
    const { status, stderr } = await session.run(...words)
    expect({ words, status }).toEqual({ words, status: 2 })
    expect(stderr).toMatch(/^Error: .*(EROFS|read-only).*\nHint: .*\n$/)
    expect(stderr).not.toContain('should not happen')
  }
})
