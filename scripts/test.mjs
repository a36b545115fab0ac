// Runs vitest with the given arguments and ends with one plain line: "N passed, N failed".
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs')
const scratch = await mkdtemp(join(tmpdir(), 'saltcod-test-report-'))
const report = join(scratch, 'report.json')

try {
  process.exitCode = await run([
    vitest,
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...process.argv.slice(2),
  ])
  const { passed, failed } = await tally(report)
  // A file that cannot be loaded or an error outside of any test fails the run without failing a test.
  const failures = process.exitCode === 0 ? failed : Math.max(failed, 1)
  if (failed > 0 && process.exitCode === 0) process.exitCode = 1
  console.log(`${passed} passed, ${failures} failed`)
} finally {
  await rm(scratch, { recursive: true, force: true })
}

/** Runs node with the arguments and resolves to its exit code, 1 where a signal ended it. */
function run(args) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: 'inherit' })
    for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
    child.once('error', reject)
    child.once('exit', (code) => resolve(code ?? 1))
  })
}

/** Counts the tests of a report; a missing report counts as nothing passed. */
async function tally(path) {
  try {
    const { numPassedTests, numFailedTests } = JSON.parse(await readFile(path, 'utf8'))
    return { passed: numPassedTests, failed: numFailedTests }
  } catch {
    return { passed: 0, failed: 0 }
  }
}
