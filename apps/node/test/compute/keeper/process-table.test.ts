import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { eventually } from '../../../../../test/eventually.ts'
import { temporaryDirectory } from '../../../../../test/temporary-directory.ts'
import { Keeper } from '../../../src/compute/keeper/keeper.ts'
import { processesWith } from '../work-bench.ts'
import { programLaunch } from './program-launch.ts'

const { signal } = new AbortController()
const table = join(import.meta.dirname, '../../../compiled/compute/keeper/process-table.js')

/** Says what a process without descriptors concludes of itself. */
const WITHOUT_FILES = `
  const { openSync } = await import('node:fs')
  const table = await import(${JSON.stringify(table)})
  try { for (;;) openSync('/dev/null') } catch {}
  for (const look of ['readProcess', 'childrenOf', 'isReadable']) {
    try { console.log(look, JSON.stringify(table[look](process.pid))) } catch (error) { console.log(look, error.code) }
  }`

function limitFiles(pid: number, most: string): void {
  expect(spawnSync('prlimit', ['--pid', String(pid), `--nofile=${most}`]).status).toBe(0)
}

test('whoever has no descriptors left does not take a process for gone', () => {
  const command = ['--nofile=40', process.execPath, '--input-type=module', '-e', WITHOUT_FILES]
  const { stdout } = spawnSync('prlimit', command, { encoding: 'utf8' })
  expect(stdout).toBe('readProcess EMFILE\nchildrenOf EMFILE\nisReadable EMFILE\n')
})

test('a keeper that has none for a while goes on with what it looks after', async () => {
  const keeper = new Keeper()
  onTestFinished(() => keeper.close())
  const workDir = temporaryDirectory()
  const mark = `${1_000_000 + process.pid}`
  const run = keeper.prepare(
    programLaunch(`: ${mark}; : > up; while test ! -e go; do sleep 0.05; done; exit 3`, {
      executionId: `e-files-${process.pid}`,
      workDir,
      isolation: 'none',
      graceMs: 1_000,
      memoryBytes: 1e9,
      maxProcesses: 100,
    }),
    signal,
  )
  const { pid } = run.process
  const over = run.go()
  await eventually('the job is up', () => existsSync(join(workDir, 'up')))
  const open = readdirSync(`/proc/${pid}/fd`).length
  limitFiles(pid, '1:')
  writeFileSync(join(workDir, 'go'), '')
  await eventually('the job is over', () => processesWith(mark).length === 0)
  limitFiles(pid, `${open + 500}:`)
  expect(await over).toMatchObject({ reason: 'exited', exitCode: 3 })
})
