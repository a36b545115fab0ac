import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { temporaryDirectory } from './temporary-directory.ts'

const script = new URL('../scripts/test.mjs', import.meta.url).pathname

/** Runs the test script on one file of its own and returns the last line and the exit code. */
function run(source: string): { readonly lastLine: string | undefined; readonly exitCode: number | null } {
  const folder = temporaryDirectory({ 'own.test.mjs': source })
  const { stdout, status } = spawnSync(process.execPath, [script, '--root', folder, '--globals'], {
    encoding: 'utf8',
  })
  return { lastLine: stdout.trimEnd().split('\n').at(-1), exitCode: status }
}

test('a run ends with how many tests passed and failed', () => {
  expect(run(`test('a', () => {}); test('b', () => {})`)).toEqual({
    lastLine: '2 passed, 0 failed',
    exitCode: 0,
  })
})

test('a failed test is counted and fails the run', () => {
  expect(run(`test('a', () => {}); test('b', () => expect(1).toBe(2))`)).toEqual({
    lastLine: '1 passed, 1 failed',
    exitCode: 1,
  })
})

test('a file that cannot be loaded is no success', () => {
  expect(run(`throw new Error('not loaded')`)).toEqual({ lastLine: '0 passed, 1 failed', exitCode: 1 })
})

test('an error outside of any test is no success', () => {
  const source = `test('a', () => { setTimeout(() => { throw new Error('late') }) ; return new Promise((done) => setTimeout(done, 50)) })`
  expect(run(source)).toEqual({ lastLine: '1 passed, 1 failed', exitCode: 1 })
})
