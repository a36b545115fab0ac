import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { clearWork } from '../../src/compute/run-files.ts'

const log = pino({ level: 'silent' })
const KEPT = ['exit.json', 'process.json', 'stderr', 'stdout']

function fill(directory: string): void {
  for (const path of ['root/outputs', 'pipes-a1B2c3']) mkdirSync(join(directory, path), { recursive: true })
  for (const path of [...KEPT, 'exit.json.tmp', 'process.json.tmp', 'root/outputs/x', 'pipes-a1B2c3/0'])
    writeFileSync(join(directory, path), 'x')
}

test('of a run that has ended its logs and notes are kept, and nothing that a killed keeper had begun', async () => {
  const dataDir = temporaryDirectory()
  const workDir = join(dataDir, 'work', 'e-1')
  fill(workDir)
  await clearWork({ dataDir, log }, 'e-1')
  expect(readdirSync(workDir).toSorted()).toEqual(KEPT)
})

test('what a link in the place of the directory of a run leads to is not looked through', async () => {
  const [dataDir, elsewhere] = [temporaryDirectory(), temporaryDirectory()]
  writeFileSync(join(elsewhere, 'exit.json.tmp'), 'x')
  mkdirSync(join(dataDir, 'work'))
  symlinkSync(elsewhere, join(dataDir, 'work', 'e-1'))
  await clearWork({ dataDir, log }, 'e-1')
  expect(readdirSync(elsewhere)).toEqual(['exit.json.tmp'])
})
