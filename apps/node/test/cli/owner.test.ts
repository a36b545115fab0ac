import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'vitest'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { saltcod, serveNode } from './binary.ts'

test('a running repository has no second node, by whatever name and whatever was removed beside its stores', async () => {
  const node = await serveNode(temporaryDirectory())
  const copy = join(temporaryDirectory(), 'copy')
  execFileSync('cp', ['-al', node.directory, copy])
  for (const name of readdirSync(node.directory, { recursive: true, encoding: 'utf8' })) {
    if (name.endsWith('.owner')) rmSync(join(node.directory, name))
  }
  for (const repository of [node.directory, copy]) {
    const { code, stderr } = await saltcod(['serve', '--port', '0', '--repo', repository])
    assert.equal(code, 2, stderr)
    assert.match(stderr, /jobs\.db is in use by (process \d+|another process)/)
  }
  node.signal('SIGTERM')
  assert.equal((await node.exited).code, 0)
})
