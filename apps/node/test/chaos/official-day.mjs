// A day of a user of an official Bacalhau command line, with a server of its own. Runs in a network namespace of its
// own, so that nobody is called. Reads a plan from standard input, and prints what each command said.
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, openSync, readFileSync } from 'node:fs'
import { get as getPlainly } from 'node:http'
import { get as getSecurely } from 'node:https'
import { json } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'

const { tool, version, servers, nodes, port, directory, guard, commands } = JSON.parse(
  readFileSync(0, 'utf8'),
)
const home = `${directory}/home`
const options = {
  '1.9.3': [
    ...['-c', 'API.Host=127.0.0.1', '-c', `API.Port=${port}`, '-c', 'DisableAnalytics=true'],
    ...['-c', 'UpdateConfig.Interval=0s', '--data-dir', home],
  ],
  '1.4.0': ['--api-host', '127.0.0.1', '--api-port', String(port), '--repo', home],
}[version]
const env = { ...process.env, APP_MODE: 'loud', OTHER: 'other' }
if (guard !== undefined) options.push('-c', 'API.TLS.UseTLS=true', '-c', `API.TLS.CAFile=${guard.authority}`)

/** What trusts a server with TLS that asks for tokens. Its secrets are there once it serves. */
function secrets() {
  if (guard === undefined) return {}
  return { ca: readFileSync(guard.authority), token: readFileSync(guard.token, 'utf8').trim() }
}

async function read(path) {
  const { ca, token } = secrets()
  // While a command runs nothing looks after connections that are kept.
  const headers = { 'x-bacalhau-git-version': `v${version}`, connection: 'close' }
  if (token !== undefined) headers.authorization = `Bearer ${token}`
  const [scheme, get] = guard === undefined ? ['http', getPlainly] : ['https', getSecurely]
  const request = get(`${scheme}://127.0.0.1:${port}/api/v1/orchestrator/${path}`, { headers, ca })
  return json(await new Promise((resolve, reject) => request.on('response', resolve).on('error', reject)))
}

const log = openSync(`${directory}/server.log`, 'w')
execFileSync('ip', ['link', 'set', 'lo', 'up'])
const serving = []
const ended = []

function serve([program, ...args]) {
  const server = spawn(program, args, { stdio: ['ignore', log, log] })
  serving.push(server)
  ended.push(new Promise((resolve) => server.once('exit', resolve)))
}

async function untilItKnows(names) {
  for (;;) {
    if (serving.some(({ exitCode }) => exitCode !== null))
      throw new Error(readFileSync(`${directory}/server.log`, 'utf8'))
    const known = JSON.stringify(await read('nodes').catch(() => null))
    if (known !== 'null' && names.every((name) => known.includes(`"${name}"`))) return
    await delay(100)
  }
}

/** Fills in what a command line names of a job: {id:NAME}, {short:NAME}, {execution:NAME}, and tokens of pages. */
async function filled(word) {
  const [whole, what, name] = /\{(\w+):(\w+)\}/.exec(word) ?? []
  if (whole === undefined) return word
  const job = (await read('jobs?limit=200')).Items.find(({ Name }) => Name === name)
  if (job === undefined) return `no-${name}`
  const values = {
    id: () => job.ID,
    short: () => job.ID.slice(0, 10),
    execution: async () => (await read(`jobs/${job.ID}/executions?limit=1`)).Items[0]?.ID,
    executions: async () => (await read(`jobs/${job.ID}/executions?limit=1&all_job_versions=true`)).NextToken,
    history: async () => (await read(`jobs/${job.ID}/history?limit=2`)).NextToken,
  }
  return word.replace(whole, String(await values[what]()))
}

/** The token of the next page, as the last command has printed it. */
let lastToken = ''

async function run({ line, input = '', seconds = 60 }) {
  const { token } = secrets()
  const key = token === undefined ? {} : { BACALHAU_API_KEY: token, SSL_CERT_FILE: guard.authority }
  const words = []
  for (const word of line.split(' ')) words.push(await filled(word.replace('{next}', lastToken)))
  const { status, stdout, stderr } = spawnSync(tool, [version, ...options, ...words], {
    cwd: directory,
    encoding: 'utf8',
    env: { ...env, ...key },
    input,
    timeout: seconds * 1000,
    // Some of them take no other.
    killSignal: 'SIGKILL',
    maxBuffer: 64 * 1024 * 1024,
  })
  lastToken = /--next-token ([\w=-]+)/.exec(stdout)?.[1] ?? lastToken
  const placeless = (text) => text.replaceAll(directory, 'DIRECTORY')
  return { line, exitCode: status, stdout: placeless(stdout), stderr: placeless(stderr) }
}

const told = []
try {
  mkdirSync(home)
  const [requester, ...computes] = servers
  serve(requester)
  // A compute node of v1.4 ends where nobody answers.
  if (computes.length > 0) await untilItKnows([])
  for (const compute of computes) serve(compute)
  await untilItKnows(nodes)
  for (const command of commands) told.push(await run(command))
} finally {
  for (const server of serving) {
    server.kill()
    setTimeout(() => server.kill('SIGKILL'), 10_000).unref()
  }
  await Promise.all(ended)
}
process.stdout.write(JSON.stringify(told))
