import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { eventually } from '../../../test/eventually.ts'
import { NO_DOCKER } from '../../../test/plain-environment.ts'
import { IS_LONG } from '../../../test/seed.ts'
import { temporaryDirectory } from '../../../test/temporary-directory.ts'
import { closedPort, PROGRAM } from './cli/binary.ts'

const GUIDE = readFileSync(fileURLToPath(new URL('../../../docs/network.md', import.meta.url)), 'utf8')

/** Opens a terminal on a machine: a home of its own, in which the program is found. */
function machine(port: string) {
  const home = temporaryDirectory()
  const program = join(home, 'saltcod')
  writeFileSync(program, `#!/bin/sh\nexec "${process.execPath}" "${PROGRAM}" "$@"\n`)
  chmodSync(program, 0o755)
  const open = (commands: string) => {
    // Both machines are this one here, whose port may be taken.
    const script = commands.replaceAll('requester.example:1234', `127.0.0.1:${port}`)
    const child = spawn('bash', ['-ec', /^saltcod serve/.test(script) ? `exec ${script}` : script], {
      cwd: home,
      env: {
        HOME: home,
        PATH: `${home}:${process.env['PATH']}`,
        BACALHAU_API_PORT: port,
        DOCKER_HOST: NO_DOCKER,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let text = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (piece: string) => {
        text += piece
      })
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
    onTestFinished(async () => {
      child.kill('SIGKILL')
      await ended
    })
    return { text: () => text, ended }
  }
  return { home, open }
}

// It starts two nodes with TLS and three commands: some ten seconds.
test.runIf(IS_LONG)(
  'two machines are joined as the guide says, by one token and no certificate',
  async () => {
    const [serve, create, joining, ...more] = [...GUIDE.matchAll(/^```bash\n(.*?)^```$/gms)].map(
      ([, block = '']) => block.trim(),
    )
    assert.ok(serve && create && joining)
    assert.deepEqual(more, [])
    const port = await closedPort()
    const first = machine(port)
    const requester = first.open(serve)
    await eventually(
      () => `it listens: ${requester.text()}`,
      () => requester.text().includes('listening on https://'),
    )
    const created = first.open(create)
    assert.equal(await created.ended, 0, created.text())
    const token = readFileSync(join(first.home, 'join.token'), 'utf8')
    assert.match(token, /^saltcod1\.\w{8}\.[\w-]{43}\.[\w-]{43}\n$/)
    const second = machine(port)
    writeFileSync(join(second.home, 'join.token'), token, { mode: 0o600 })
    const compute = second.open(joining.replace('--repo', '--port 0 --repo'))
    await eventually(
      () => `they are joined: ${requester.text()} ${compute.text()}`,
      () => requester.text().includes('node connected'),
    )
    rmSync(join(second.home, 'join.token'))
    const listed = first.open('saltcod node list --repo ~/requester')
    assert.equal(await listed.ended, 0, listed.text())
    expect(listed.text()).toMatch(/approved +connected/)
    // From the second machine nobody commands the first.
    const stranger = second.open('saltcod node list --repo ~/compute --use-tls')
    assert.notEqual(await stranger.ended, 0)
    for (const { text } of [requester, compute]) assert.ok(!text().includes(token.split('.')[2] ?? ''))
    assert.ok(!existsSync(join(second.home, 'compute', 'operator-token')))
  },
)
