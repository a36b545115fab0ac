import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { onTestFinished, test } from 'vitest'
import { eventually } from '../../../../test/eventually.ts'
import { plainEnvironment } from '../../../../test/plain-environment.ts'
import { IS_LONG } from '../../../../test/seed.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { closedPort, PROGRAM, saltcod } from '../cli/binary.ts'

const INSPECTOR = fileURLToPath(new URL('../../../inspect/dist/main.js', import.meta.url))
const secret = (letter: string): string => letter.repeat(43)

/** Every file below a directory. */
function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((name) => join(directory, name))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true)
}

/** What stands in the arguments and the environment of every process but one, which was given them. */
function processesBut(pid: number): { readonly pid: number; readonly words: string }[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name) || Number(name) === pid) return []
    try {
      const words = ['cmdline', 'environ'].map((file) => readFileSync(`/proc/${name}/${file}`, 'latin1'))
      return [{ pid: Number(name), words: words.join('\n') }]
    } catch {
      // It has ended meanwhile, or is somebody else's.
      return []
    }
  })
}

/** What the inspector says of each store below a directory, and of a backup of it. */
async function inspected(directory: string): Promise<string> {
  const say = async (...words: readonly string[]): Promise<string> => {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [INSPECTOR, ...words], {
      env: plainEnvironment(),
      maxBuffer: 64 * 1024 * 1024,
    })
    return `${stdout}${stderr}`
  }
  const said: string[] = []
  const stores = filesBelow(directory).filter((path) => /\/(?:jobs|executions)\.db$/.test(path))
  assert.equal(stores.length, 2, stores.join(' '))
  for (const store of stores) {
    const copy = join(temporaryDirectory(), 'copy.db')
    said.push(await say('backup', store, copy))
    for (const path of [store, copy]) {
      for (const words of [['dump'], ['summary'], ['check'], ['info'], ['dump', '--output', 'json']]) {
        const [command = '', ...flags] = words
        said.push(await say(command, path, ...flags))
      }
    }
    // All of it, but for what the jobs themselves were given.
    said.push(readFileSync(copy, 'latin1').replaceAll(secret('V'), ''))
  }
  return said.join('\n')
}

// It starts a node and a command as processes, and looks through all that they leave: some seconds.
test.runIf(IS_LONG)('no secret of a node or a client is anywhere but where it belongs', async () => {
  const directory = temporaryDirectory()
  const port = await closedPort()
  const planted = {
    SALTCOD_JOIN_TOKEN: `saltcod1.planted.${secret('J')}`,
    SALTCOD_TOKEN: `saltcod1.planted.${secret('C')}`,
    BACALHAU_API_KEY: `saltcod1.planted.${secret('K')}`,
  }
  const flags = [
    '--require-tokens',
    '--allow-exec',
    '--log-level',
    'trace',
    '--repo',
    directory,
    '--port',
    port,
  ]
  const node = spawn(process.execPath, [PROGRAM, 'serve', ...flags], {
    env: { ...plainEnvironment(), ...planted },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = new Promise((resolve) => node.on('close', resolve))
  onTestFinished(async () => {
    node.kill('SIGKILL')
    await ended
  })
  let said = ''
  for (const stream of [node.stdout, node.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
  await eventually(
    () => `it listens: ${said}`,
    () => said.includes('listening on'),
  )
  const url = `http://127.0.0.1:${port}`
  const operator = readFileSync(join(directory, 'operator-token'), 'utf8').trim()
  const ask = async (
    method: string,
    path: string,
    authorization: string,
    body?: unknown,
  ): Promise<string> => {
    const headers = { authorization, 'x-saltcod-join': `saltcod1.planted.${secret('H')}` }
    const answer = await fetch(`${url}${path}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return await answer.text()
  }
  const bearer = `Bearer ${operator}`
  const made = JSON.parse(await ask('POST', '/api/v1/saltcod/tokens', bearer, { Role: 'reader' })) as {
    Token: string
    ID: string
  }
  // What clients of Bacalhau repeat in a body, what is wrong, and what is none.
  const Credential = { Scheme: 'Bearer', Value: operator, Params: null }
  const script = 'env; cat /proc/self/environ; sleep 60'
  const Engine = { Type: 'exec', Params: { Command: 'sh', Arguments: ['-c', script] } }
  const task = { Name: 'main', Engine, Env: { DB_PASSWORD: secret('V') } }
  const Job = { Name: 'job', Type: 'batch', Count: 1, Tasks: [task] }
  const jobs = '/api/v1/orchestrator/jobs'
  const { JobID } = JSON.parse(await ask('PUT', jobs, bearer, { Job, Credential })) as { JobID: string }
  const basic = Buffer.from(`user:${secret('P')}`).toString('base64')
  const refusals = [
    await ask('GET', jobs, `Bearer saltcod1.planted.${secret('W')}`),
    await ask('GET', jobs, `Basic ${basic}`),
    await ask('PUT', jobs, `Bearer ${made.Token}`, { Job, Credential }),
    await ask('PUT', jobs, bearer, { Job: { Tasks: Credential } }),
    await ask('GET', `/api/v1/saltcod/results/e-1.tar.gz?expires=9&signature=${secret('S')}`, bearer),
    await ask('POST', '/link/v1/handshake', `Bearer saltcod1-node.n-1.${secret('N')}`, {}),
    await ask('POST', '/link/v1/poll', `Bearer saltcod1-node.n-1.${secret('N')}`, {}),
  ]
  const own = ['--port', port, '--repo', directory]
  const wrong = await saltcod(['job', 'list', ...own], {
    env: { SALTCOD_TOKEN: `saltcod1.x.${secret('W')}` },
  })
  assert.equal(wrong.code, 1)
  const headers = { authorization: bearer }
  await eventually('the job runs', async () => {
    const answer = await fetch(`${url}${jobs}/${JobID}`, { headers })
    return (
      ((await answer.json()) as { Job: { State: { StateType: string } } }).Job.State.StateType === 'Running'
    )
  })
  const children = processesBut(node.pid ?? 0)
  assert.ok(
    children.some(({ words }) => words.includes('cat /proc/self/environ')),
    'the job is among them',
  )
  const log = await saltcod(['job', 'logs', JobID, ...own])
  await ask('DELETE', `/api/v1/saltcod/tokens/${made.ID}`, bearer)
  await ask('DELETE', `${jobs}/${JobID}`, bearer)
  node.kill('SIGTERM')
  await ended
  const places = new Map<string, string>([
    ['the log of the node', said],
    ['what is answered', refusals.join('\n')],
    ['what a command says', `${wrong.stdout}${wrong.stderr}`],
    ['the output of the job', `${log.stdout}${log.stderr}`],
    ...children.map(({ pid, words }) => [`process ${pid}`, words] as const),
    ...filesBelow(directory)
      .filter((path) => !path.endsWith('/operator-token'))
      .map((path) => [path, readFileSync(path, 'latin1')] as const),
  ])
  const secrets = [...'JCKHPWSN'].map(secret)
  for (const token of [operator, made.Token]) secrets.push(token.split('.')[2] ?? '')
  const found = [...places].flatMap(([place, text]) =>
    secrets.filter((word) => text.includes(word)).map((word) => `${word.slice(0, 3)}… in ${place}`),
  )
  assert.deepEqual(found, [])
  assert.match(log.stdout, /PATH=/)
  // The password of the job is in the store and in what the job was given, and nowhere that is shown.
  const shown = [await inspected(directory), said, ...refusals].join('\n')
  assert.match(shown, /DB_PASSWORD/)
  for (const word of [...secrets, secret('V')]) assert.ok(!shown.includes(word), word.slice(0, 3))
})
