import assert from 'node:assert/strict'
import { execFile, spawn, spawnSync } from 'node:child_process'
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { onTestFinished, test } from 'vitest'
import { eventually } from '../../../../test/eventually.ts'
import { plainEnvironment } from '../../../../test/plain-environment.ts'
import { IS_LONG } from '../../../../test/seed.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { PROGRAM } from '../cli/binary.ts'

const CUT_MS = IS_LONG ? 600_000 : 1_000
/** A busy machine has to renew one within a third of its life. */
const CERTIFICATE_LIFE = IS_LONG ? '30s' : '90d'
const RENEWALS = IS_LONG ? 10 : 0
const PORT = '1234'
const [HERE, MOVED, THERE] = ['10.91.0.1', '10.91.0.9', '10.91.0.2']

/** Runs `ip`, and returns what it complains of; `null` where it does not. */
function ip(line: string): string | null {
  const { status, stderr, error } = spawnSync('ip', line.split(' '), { encoding: 'utf8' })
  return status === 0 ? null : (error?.message ?? stderr.trim())
}

/** Two machines with a cable between them. */
class Machines {
  readonly first = `saltcod-${process.pid}-1`
  readonly second = `saltcod-${process.pid}-2`
  readonly #ends = [`s1-${process.pid}`, `s2-${process.pid}`] as const

  /** Makes them until the test is over; returns why that is not possible. */
  make(): string | null {
    const [end, other] = this.#ends
    onTestFinished(() => {
      for (const name of [this.first, this.second]) ip(`netns del ${name}`)
    })
    const lines = [
      `netns add ${this.first}`,
      `netns add ${this.second}`,
      `link add ${end} netns ${this.first} type veth peer name ${other} netns ${this.second}`,
      `-n ${this.first} addr add ${HERE}/24 dev ${end}`,
      `-n ${this.second} addr add ${THERE}/24 dev ${other}`,
      ...[this.first, this.second].map((name) => `-n ${name} link set lo up`),
      `-n ${this.first} link set ${end} up`,
      `-n ${this.second} link set ${other} up`,
    ]
    for (const line of lines) {
      const complaint = ip(line)
      if (complaint !== null) return `ip ${line}: ${complaint}`
    }
    return null
  }

  /** Pulls the cable out at the second one, or puts it back. */
  plug(state: 'up' | 'down'): void {
    assert.equal(ip(`-n ${this.second} link set ${this.#ends[1]} ${state}`), null)
  }

  /** Gives the first one another address. Its own goes first: it would take one of the same network with it. */
  move(): void {
    for (const line of [`del ${HERE}`, `add ${MOVED}`])
      assert.equal(ip(`-n ${this.first} addr ${line}/24 dev ${this.#ends[0]}`), null)
  }
}

/** Serves a node on a machine. */
function serve(machine: string, flags: readonly string[]) {
  const args = ['netns', 'exec', machine, process.execPath, PROGRAM, 'serve', ...flags]
  const child = spawn('ip', args, { env: plainEnvironment(), stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
  const ended = new Promise((resolve) => child.on('close', resolve))
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal)
    await ended
  }
  onTestFinished(() => end('SIGKILL'))
  const count = (words: string): number => said.split(words).length - 1
  const says = async (words: string): Promise<void> => {
    await eventually(
      () => `it says ${words}: ${said}`,
      () => said.includes(words),
    )
  }
  return { count, says, end, said: () => said }
}

// Two nodes, one of them twice, and five commands as processes: some seconds.
test('machines of their own addresses are joined by a token, and stay so through cuts, renewals and a move', {
  timeout: IS_LONG ? 1_800_000 : 300_000,
}, async ({ annotate }) => {
  const machines = new Machines()
  const why = machines.make()
  if (why !== null) {
    await annotate(`not tried: ${why}`)
    return
  }
  const directory = temporaryDirectory()
  const repository = join(directory, 'requester')
  const config = join(directory, 'saltcod.yaml')
  writeFileSync(config, JSON.stringify({ API: { TLS: { CertificateLife: CERTIFICATE_LIFE } } }))
  const role = ['--node-type', 'requester', '--tls', 'auto', '--config', config, '--repo', repository]
  const requester = serve(machines.first, [...role, '--host', HERE, '--port', PORT])
  await requester.says(`listening on https://${HERE}:${PORT}`)

  let host = HERE
  const run = async (...words: readonly string[]): Promise<string> => {
    const where = ['--host', host, '--port', PORT, '--repo', repository]
    const args = ['netns', 'exec', machines.first, process.execPath, PROGRAM, ...words, ...where]
    return (await promisify(execFile)('ip', args, { env: plainEnvironment() })).stdout
  }
  const runScript = async (script: string): Promise<string> => {
    const Engine = { Type: 'exec', Params: { Command: 'sh', Arguments: ['-c', script] } }
    const file = join(temporaryDirectory(), 'job.json')
    writeFileSync(file, JSON.stringify({ Type: 'batch', Count: 1, Tasks: [{ Name: 'main', Engine }] }))
    // It is waited for beyond the time for which the cable is out.
    return (await run('job', 'run', file, '--id-only', '--wait-timeout-secs', '1200')).trim()
  }
  const token = join(directory, 'join.token')
  writeFileSync(token, await run('token', 'create', '--role', 'node'), { mode: 0o600 })
  const ways = [HERE, MOVED].map((address) => `https://${address}:${PORT}`).join(',')
  const joining = ['--node-type', 'compute', '--allow-exec', '--orchestrators', ways, '--join-token', token]
  const compute = serve(machines.second, [...joining, '--port', '0', '--repo', join(directory, 'compute')])
  await requester.says('node connected')
  rmSync(token)

  // What ends while the cable is out is told when it is back, and is not done twice.
  const go = join(directory, 'go')
  const begun = join(directory, 'begun')
  const ran = runScript(`echo begun; touch ${begun}; while [ ! -e ${go} ]; do sleep 0.1; done; echo ended`)
  await eventually('the job runs', () => existsSync(begun))
  machines.plug('down')
  writeFileSync(go, '')
  await delay(CUT_MS)
  machines.plug('up')
  assert.equal(await run('job', 'logs', await ran), 'begun\nended\n')

  // Certificates end while jobs are run, and nobody notices.
  const connected = requester.count('node connected')
  const renewed = requester.count('the certificate was renewed') + RENEWALS
  while (requester.count('the certificate was renewed') < renewed) {
    assert.equal(await run('job', 'logs', await runScript('echo done')), 'done\n')
  }
  assert.equal(requester.count('node connected'), connected, requester.said())

  await requester.end('SIGTERM')
  machines.move()
  host = MOVED
  const moved = serve(machines.first, [...role, '--host', MOVED, '--port', PORT])
  await moved.says(`listening on https://${MOVED}:${PORT}`)
  await moved.says('node connected')
  assert.equal(await run('job', 'logs', await runScript('echo there')), 'there\n')
  assert.ok(!compute.said().includes('"level":50'), compute.said())
})
