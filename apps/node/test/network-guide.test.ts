import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { eventually } from '../../../test/eventually.ts'
import { temporaryDirectory } from '../../../test/temporary-directory.ts'
import { closedPort, PROGRAM, saltcod } from './cli/binary.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const GUIDE = readFileSync(join(ROOT, 'docs/network.md'), 'utf8')
const UNITS = join(ROOT, 'examples/systemd')

/** Opens a terminal whose commands find the program and a home of their own. */
function terminals(ports: Readonly<Record<string, string>>) {
  const home = temporaryDirectory()
  const program = join(home, 'saltcod')
  writeFileSync(program, `#!/bin/sh\nexec "${process.execPath}" "${PROGRAM}" "$@"\n`)
  chmodSync(program, 0o755)
  return (commands: string): { readonly child: ChildProcess; readonly text: () => string } => {
    // What the guide says of ports may be taken on this machine; commands find the requester's by its variable.
    const script = commands.replaceAll(/\b(?:1234|1235)\b/g, (port) => ports[port] ?? port)
    const child = spawn('sh', ['-ec', /^saltcod serve/.test(script) ? `exec ${script}` : script], {
      cwd: ROOT,
      env: { HOME: home, PATH: `${home}:${process.env['PATH']}`, BACALHAU_API_PORT: ports['1234'] },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let text = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (piece: string) => {
        text += piece
      })
    const ended = new Promise((resolve) => child.on('close', resolve))
    onTestFinished(async () => {
      child.kill('SIGKILL')
      await ended
    })
    return { child, text: () => text }
  }
}

test('the quick start of the guide works as it stands there', { timeout: 120_000 }, async () => {
  const [requester, compute, commands, ...more] = [...GUIDE.matchAll(/^```sh\n(.*?)^```$/gms)].map(
    ([, block = '']) => block.trim(),
  )
  assert.ok(requester && compute && commands)
  assert.deepEqual(more, [])
  const open = terminals({ '1234': await closedPort(), '1235': await closedPort() })
  const first = open(requester)
  const second = open(compute)
  for (const { text } of [first, second])
    await eventually(
      () => `it listens: ${text()}`,
      () => text().includes('listening on'),
    )
  await eventually(
    () => `they are joined: ${first.text()}`,
    () => first.text().includes('node connected'),
  )
  const third = open(commands)
  const code = await new Promise((resolve) => third.child.on('close', resolve))
  expect(code, third.text()).toBe(0)
  expect(third.text()).toMatch(/connected/)
  expect(third.text()).toMatch(/^hello from j-/m)
})

test('the units start nodes with settings that there are', { timeout: 60_000 }, async () => {
  const units = readdirSync(UNITS)
  expect(units).toEqual(['saltcod-compute.service', 'saltcod-requester.service'])
  for (const unit of units) {
    const text = readFileSync(join(UNITS, unit), 'utf8')
    const [, command = ''] = /^ExecStart=\/usr\/bin\/saltcod serve (.*)$/m.exec(text) ?? []
    const listed = await saltcod(['config', 'list', '--output', 'json', ...command.split(' ')], {
      env: { BACALHAU_DIR: temporaryDirectory() },
    })
    expect(listed.code, `${unit}: ${listed.stderr}`).toBe(0)
    expect(listed.stderr, unit).toBe('')
    const [, directory = ''] = /^Environment=BACALHAU_DIR=(.*)$/m.exec(text) ?? []
    const [, state = ''] = /^StateDirectory=(.*)$/m.exec(text) ?? []
    expect(directory, unit).toBe(`/var/lib/${state}`)
    expect(text, unit).toContain(`RequiresMountsFor=${directory}\n`)
  }
})
