// Serves what was imported of a node of Bacalhau beside that node itself, in the network namespace of this process,
// asks both with the official command line, and prints where they differ: imported-jobs.mjs RELEASE FILES DIRECTORY
// JOBS
import { execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, createWriteStream, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

const [release, files, directory, jobs] = process.argv.slice(2)
const { OFFICIAL: official, SALTCOD: saltcod, INSPECTOR: inspector } = process.env
const OURS = 4001
const THEIRS = 1341

execFileSync('ip', ['link', 'set', 'lo', 'up'])
const source = join(directory, 'bacalhau')
const repository = join(directory, 'repository')
cpSync(files, source, { recursive: true })
execFileSync('chmod', ['-R', 'u+w', source])
execFileSync(process.execPath, [inspector, 'import', source, '--to', repository, '--apply'], {
  stdio: 'ignore',
})
const home = release === '1.4.0' ? await homeAround(source) : source
const theirs = start(official, [release, ...serveArguments()], 'theirs')
const ours = start(process.execPath, [saltcod, 'serve', '--repo', repository, '--port', String(OURS)], 'ours')
const told = { compared: 0, differences: [] }
try {
  await Promise.all([answering(ours, OURS), answering(theirs, THEIRS)])
  // Either one makes its own directory, and says so.
  for (const port of [OURS, THEIRS]) await ask(port, ['version'])
  for (const words of commands()) await compare(words)
} finally {
  for (const node of [ours, theirs]) {
    const ended = node.exitCode === null ? once(node, 'exit') : undefined
    node.kill('SIGKILL')
    await ended
  }
}
process.stdout.write(`${JSON.stringify(told)}\n`)

function commands() {
  const ofJobs = jobs.split(',').flatMap((id) => [
    ['job', 'describe', id],
    ['job', 'executions', id],
    ['job', 'history', id],
    ['job', 'get', id, '--output-dir', 'DIRECTORY'],
  ])
  return [['job', 'list', '--limit', '100'], ...ofJobs]
}

async function compare(words) {
  const [own, other] = [await ask(OURS, words), await ask(THEIRS, words)]
  told.compared += 1
  if (own === other) return
  const [ours, theirs] = [own.split('\n'), other.split('\n')]
  const only = (lines, others) => JSON.stringify(lines.filter((line) => !others.includes(line)))
  told.differences.push(`${words.join(' ')}: ${only(ours, theirs)}, and Bacalhau ${only(theirs, ours)}`)
}

async function ask(port, words) {
  const output = join(directory, `got-${port}`)
  const args = words.map((word) => (word === 'DIRECTORY' ? output : word))
  const run = promisify(execFile)(official, [release, ...clientArguments(port), ...args], { timeout: 60_000 })
  const { stdout, stderr, code = 0 } = await run.catch((error) => error)
  return `${code} ${comparable(stdout)} ${stderr}`
    .replaceAll(output, 'DIRECTORY')
    .replaceAll(String(port), 'PORT')
}

/**
 * Of v1.4: versions count from 1 here, where none were counted and 0 was written; an entry of a history has one time
 * here, where it had another one for its event, some milliseconds before.
 */
function comparable(text) {
  if (release !== '1.4.0') return text
  return text.replace(/^(Version +=) 0$/m, '$1 1').replaceAll(/(:\d\d)\.\d{3}\b/g, '$1')
}

function clientArguments(port) {
  if (release === '1.4.0')
    return ['--api-host', '127.0.0.1', '--api-port', String(port), '--repo', join(directory, 'client')]
  const settings = [
    'API.Host=127.0.0.1',
    `API.Port=${port}`,
    'DisableAnalytics=true',
    'UpdateConfig.Interval=0s',
  ]
  return [...settings.flatMap((setting) => ['-c', setting]), '--data-dir', join(directory, 'client')]
}

function serveArguments() {
  if (release === '1.9.3')
    return ['serve', '--data-dir', source, '-c', join(dirname(official), 'node-1.9.3.yaml')]
  return [
    ...['serve', '--node-type', 'compute,requester', '--host', '127.0.0.1', '--port', String(THEIRS)],
    ...['--name', 'porto', '--local-publisher-address', '127.0.0.1', '--job-selection-accept-networked'],
  ]
}

/** What v1.4 wants to find beside its stores, such as its keys, it makes itself where there is nothing yet. */
async function homeAround(stores) {
  const made = join(directory, 'theirs')
  mkdirSync(made)
  const env = { ...process.env, BACALHAU_DIR: made }
  const node = spawn(official, [release, ...serveArguments()], { stdio: 'ignore', env })
  await answering(node, THEIRS)
  const ended = once(node, 'exit')
  node.kill('SIGTERM')
  await ended
  for (const name of ['orchestrator_store', 'compute_store'])
    cpSync(join(stores, name), join(made, name), { recursive: true })
  return made
}

function start(program, args, name) {
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...(name === 'theirs' && release === '1.4.0' ? { BACALHAU_DIR: home } : {}) },
  })
  const log = createWriteStream(join(directory, `${name}.log`), { flags: 'a' })
  child.stdout.pipe(log, { end: false })
  child.stderr.pipe(log, { end: false })
  return child
}

async function answering(node, port) {
  for (const end = Date.now() + 120_000; Date.now() < end; await sleep(100)) {
    if (node.exitCode !== null) throw new Error(`the node at port ${port} ended with ${node.exitCode}`)
    const alive = await fetch(`http://127.0.0.1:${port}/api/v1/agent/alive`).catch(() => undefined)
    if (alive?.ok === true) return
  }
  throw new Error(`the node at port ${port} does not answer`)
}
