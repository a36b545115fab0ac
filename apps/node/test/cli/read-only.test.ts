import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'vitest'
import { smallDisk } from '../../../../test/small-disk.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { saltcod, serveNode } from './binary.ts'

/** A repository with a configuration. */
function configured(config: string): string {
  const directory = temporaryDirectory()
  writeFileSync(join(directory, 'saltcod.yaml'), `${config}\n`)
  return directory
}

test('a node that must write to a read-only file system ends with 2, so that no supervisor tries again', async ({
  skip,
}) => {
  const disk = smallDisk('64m')
  if (disk === undefined) {
    skip('this user may not mount a file system')
    return
  }
  const repository = join(disk, 'repository')
  const node = await serveNode(repository)
  node.signal('SIGTERM')
  assert.equal((await node.exited).code, 0)
  mkdirSync(join(disk, 'empty'))
  execFileSync('mount', ['-o', 'remount,ro', disk])
  const starts = [
    ['--repo', repository],
    ['--repo', join(disk, 'empty')],
    ['--repo', join(disk, 'missing')],
    ['--repo', configured(`Results: { Path: ${join(disk, 'results')} }`)],
    ['--repo', configured(`Node: { Requester: { Archive: { Directory: ${join(disk, 'archive')} } } }`)],
  ]
  for (const flags of starts) {
    const { code, stderr } = await saltcod(['serve', '--port', '0', ...flags])
    const said = stderr.split('\n').filter((line) => !line.startsWith('{'))
    assert.deepEqual({ flags, code }, { flags, code: 2 }, stderr)
    assert.match(said.join('\n'), /^Error: .*(EROFS|read-only)/)
    assert.doesNotMatch(stderr, /should not happen/)
  }
})
