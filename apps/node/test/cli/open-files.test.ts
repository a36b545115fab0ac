import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'vitest'
import { PROGRAM } from './binary.ts'

/** Runs a command that needs a node, where there is none, under a limit of open files. */
function jobList(files: number): ReturnType<typeof spawnSync> & { readonly stderr: string } {
  const script = `ulimit -n ${files}; exec "$0" "$@"`
  const command = ['-c', script, process.execPath, PROGRAM, 'job', 'list', '--port', '1']
  return spawnSync('/bin/sh', command, { encoding: 'utf8' })
}

test('under a limit of open files that is too low to start the program, it says so in two lines', () => {
  const ran = jobList(25)
  assert.equal(ran.status, 2, ran.stderr)
  assert.match(ran.stderr, /^Error: the limit of open files .*\nHint: raise it .*\n$/)
})

test('the program consists of so few files that it starts under a low limit', () => {
  const ran = jobList(60)
  assert.equal(ran.status, 3, ran.stderr)
  assert.match(ran.stderr, /^Error: cannot reach a node/)
})
