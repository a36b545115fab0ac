import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'vitest'
import { PROGRAM } from './binary.ts'

test('under a limit of open files that is too low to start the program, it says so in two lines', () => {
  for (const files of [25, 60]) {
    const script = `ulimit -n ${files}; exec "$0" "$@"`
    const ran = spawnSync('/bin/sh', ['-c', script, process.execPath, PROGRAM, 'job', 'list'], {
      encoding: 'utf8',
    })
    assert.equal(ran.status, 2, ran.stderr)
    assert.match(ran.stderr, /^Error: the limit of open files .*\nHint: raise it .*\n$/)
  }
})
