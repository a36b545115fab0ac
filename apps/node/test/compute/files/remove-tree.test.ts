import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { temporaryDirectory } from '../../../../../test/temporary-directory.ts'
import { removeTree } from '../../../src/compute/files/remove-tree.ts'

function mountAt(source: string, target: string): boolean {
  if (spawnSync('mount', ['--bind', source, target], { stdio: 'ignore' }).status !== 0) return false
  onTestFinished(() => {
    spawnSync('umount', ['-l', target], { stdio: 'ignore' })
  })
  return true
}

test.each(['m', 'with space/m'])('what is mounted in a tree at %s is left as it is', async (place) => {
  const [outside, top] = [temporaryDirectory(), join(temporaryDirectory(), 'root')]
  mkdirSync(join(outside, 'sub'), { mode: 0o755 })
  writeFileSync(join(outside, 'sub/file'), 'kept')
  chmodSync(outside, 0o755)
  mkdirSync(join(top, place), { recursive: true })
  mkdirSync(join(top, 'closed'))
  writeFileSync(join(top, 'closed/file'), '')
  chmodSync(join(top, 'closed'), 0o500)
  // Where this user may mount nothing, a job of his cannot either.
  const mounted = mountAt(outside, join(top, place))
  if (mounted) await expect(removeTree(top)).rejects.toThrow('EBUSY')
  for (const path of [outside, join(outside, 'sub')]) expect(statSync(path).mode & 0o777).toBe(0o755)
  expect(existsSync(join(outside, 'sub/file'))).toBe(true)
  spawnSync('umount', [join(top, place)], { stdio: 'ignore' })
  await removeTree(top)
  expect(existsSync(top)).toBe(false)
  expect(existsSync(join(outside, 'sub/file'))).toBe(true)
})
