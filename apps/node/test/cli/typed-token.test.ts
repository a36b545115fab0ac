import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished, test } from 'vitest'
import { eventually } from '../../../../test/eventually.ts'
import { plainEnvironment } from '../../../../test/plain-environment.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { startAccessNode } from '../access/access-node.ts'
import { noopJob } from '../node-fixture.ts'
import { PROGRAM, saltcod } from './binary.ts'

/** Runs a line of a shell with a terminal of its own, which shows what is typed unless the program says otherwise. */
function onTerminal(line: string) {
  const child = spawn('script', ['-q', '-e', '-E', 'always', '-c', line, '/dev/null'], {
    env: { ...plainEnvironment(), SHELL: '/bin/sh' },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let shown = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text
  })
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
  })
  const asked = async (): Promise<void> => {
    await eventually(
      () => `it asks: ${shown}`,
      () => shown.includes('Token for '),
    )
  }
  const type = (text: string): void => {
    child.stdin.write(text)
  }
  return { asked, shown: () => shown, ended, type }
}

test('a terminal is asked for a token that is nowhere, and does not show it; nothing else is asked', async () => {
  const node = await startAccessNode()
  const directory = temporaryDirectory()
  const where = ['--port', new URL(node.url).port, '--repo', directory]
  const job = join(directory, 'job.json')
  writeFileSync(job, JSON.stringify(noopJob({ Name: 'typed' })))
  const command = (...args: readonly string[]): string =>
    [process.execPath, PROGRAM, ...args, ...where].map((word) => `'${word}'`).join(' ')

  // Several questions to the node, one of them for a log, and a mistake that is taken back.
  const run = onTerminal(command('job', 'run', job, '--follow'))
  const refused = onTerminal(command('job', 'list'))
  const left = onTerminal(command('job', 'list'))
  const hidden = onTerminal(`${command('job', 'list')} 2>'${join(directory, 'said')}'`)
  await run.asked()
  run.type(`x\u007f${node.operator}\r`)
  await refused.asked()
  refused.type(`${node.operator.slice(0, -1)}\r`)
  await left.asked()
  left.type('abc\u0003')
  assert.equal(await run.ended, 0, run.shown())
  assert.equal(run.shown().split('Token for ').length, 2)
  assert.ok(!run.shown().includes(node.operator.slice(0, 20)), run.shown())
  assert.equal(await refused.ended, 1)
  assert.match(refused.shown(), /is none of this node/)
  assert.equal(await left.ended, 130)
  assert.ok(!left.shown().includes('abc'))
  // Where a question would not be seen, and where nobody is.
  assert.equal(await hidden.ended, 1)
  const piped = await saltcod(['job', 'list', ...where], { input: `${node.operator}\n` })
  assert.equal(piped.code, 1)
  assert.match(piped.stderr, /^Error: Request Unauthorized: this node asks for a token/)
})
