// Shows a job that survives the death of its node: two word counts in WebAssembly, and a SIGKILL in between.
// Ends with 0 only if both jobs complete and count right.
import { spawn } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('../apps/node/dist/main.js', import.meta.url))
const module = fileURLToPath(new URL('../apps/node/dist/demo/word-count.wasm', import.meta.url))
const TEXT_BYTES = 4_000_000
const LONG_PASSES = 500
const DEADLINE_MS = 300_000

const directory = await mkdtemp(join(tmpdir(), 'saltcod-demo-'))
const repository = join(directory, 'node')
const logFile = join(directory, 'node.log')
const moments = []
let node
/** The process of the node, from its first moment on, and its end. */
let running
let ended
let interrupted = false

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    void giveUp()
  })
}
try {
  await demo()
  await stop()
  await removeAll()
} catch (error) {
  if (!interrupted) explain(error)
  process.exitCode = 1
} finally {
  await endNode()
}

async function giveUp() {
  interrupted = true
  await endNode()
  await removeAll()
  process.exit(1)
}

function explain(error) {
  console.error(`\nThe demo failed: ${error instanceof Error ? error.message : String(error)}`)
  console.error(`  everything it made   ${directory}`)
  console.error(`  the log of the node  ${logFile}`)
  console.error(`  look at the state    node ${program} serve --repo ${repository}`)
}

async function endNode() {
  running?.kill('SIGKILL')
  await ended
}

async function removeAll() {
  // The processes of a job that was just killed may take a moment to go.
  await rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
}

async function demo() {
  const expected = await prepare()
  say('A text to count', `${expected.trim().split('\n').join(', ')}`)

  node = await serve()
  say('A node', `${node.url}, process ${node.process.pid}`)

  const short = await submit('short-count', 1)
  say('A first job', `${short}, counts the text in WebAssembly`)
  await completed(short)
  say('', `Completed, it printed: ${oneLine(await printed(short))}`)

  const long = await submit('long-count', LONG_PASSES)
  say('A second job', `${long}, counts it ${LONG_PASSES} times over`)
  const pass = await inTheMiddle(long)
  const killed = node
  await kill()
  say('kill -9', `process ${killed.process.pid} is dead, the job was at ${pass}`)

  node = await serve()
  say('Started again', `${node.url}, process ${node.process.pid}`)
  await completed(long)
  say('', `Completed, it printed: ${oneLine(await printed(long))}`)

  for (const [name, id] of [
    ['The first job', short],
    ['The second job', long],
  ]) {
    console.log(`\n${name}, ${id}:`)
    await tell(id)
    const counted = oneLine(await printed(id))
    if (counted !== oneLine(expected)) throw new Error(`${id} printed ${counted}, not ${oneLine(expected)}`)
  }
  console.log('\nBoth jobs are Completed, and what they counted is right.')
}

/** Makes the text and lays it where the node may read it. Returns what a right count prints. */
async function prepare() {
  const inputs = join(directory, 'inputs')
  await mkdir(inputs)
  await mkdir(repository, { mode: 0o700 })
  const words = 'salt cod dries slowly in the northern wind and keeps for years on any shelf'.split(' ')
  let [text, random] = ['', 1]
  while (text.length < TEXT_BYTES) {
    random = (random * 48_271) % 2_147_483_647
    text += `${words[random % words.length]}${random % 11 === 0 ? '\n' : ' '}`
  }
  await writeFile(join(inputs, 'text.txt'), text)
  await copyFile(module, join(inputs, 'word-count.wasm'))
  await writeFile(join(repository, 'saltcod.yaml'), JSON.stringify({ Inputs: { AllowedPaths: [inputs] } }))
  return `lines ${text.split('\n').length - 1}\nwords ${text.match(/\S+/g).length}\nbytes ${text.length}\n`
}

function jobSpec(name, passes) {
  const input = (file) => ({
    Source: { Type: 'local', Params: { SourcePath: join(directory, 'inputs', file) } },
    Target: `/inputs/${file}`,
  })
  const parameters = ['/inputs/text.txt', String(passes), '/outputs/counts.txt']
  return {
    Name: name,
    Type: 'batch',
    Tasks: [
      {
        Name: 'main',
        Engine: { Type: 'wasm', Params: { EntryModule: '/inputs/word-count.wasm', Parameters: parameters } },
        InputSources: [input('word-count.wasm'), input('text.txt')],
        ResultPaths: [{ Name: 'outputs', Path: '/outputs' }],
      },
    ],
  }
}

async function serve() {
  const log = await open(logFile, 'a')
  const child = spawn(process.execPath, [program, 'serve', '--repo', repository, '--port', '0'], {
    stdio: ['ignore', 'pipe', log.fd],
  })
  await log.close()
  moments.push({ atMs: Date.now(), text: `--- started again, process ${child.pid}` })
  running = child
  ended = new Promise((resolve) => child.once('exit', resolve))
  let line = ''
  for await (const chunk of child.stdout.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    line += chunk
    if (line.includes('\n')) break
  }
  const url = /^listening on (\S+)\n/.exec(line)?.[1]
  if (url === undefined) throw new Error('the node does not start')
  return { process: child, url }
}

async function kill() {
  await endNode()
  moments.push({ atMs: Date.now(), text: `--- kill -9 of process ${node.process.pid}` })
}

async function stop() {
  node.process.kill('SIGTERM')
  const code = await ended
  if (code !== 0) throw new Error(`the node ended with ${code} after SIGTERM`)
}

/** Runs a command against the node, as a user would, and returns what it prints. */
async function saltcod(argv, input = '') {
  const at = ['--repo', repository, '--port', new URL(node.url).port]
  const child = spawn(process.execPath, [program, ...argv, ...at], { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.end(input)
  const ended = new Promise((resolve) => child.once('exit', resolve))
  let output = ''
  for await (const chunk of child.stdout.setEncoding('utf8')) output += chunk
  const code = await ended
  if (code !== 0) throw new Error(`saltcod ${argv.join(' ')} ended with ${code}`)
  return output
}

async function submit(name, passes) {
  const spec = JSON.stringify(jobSpec(name, passes))
  return (await saltcod(['job', 'run', '--id-only', '--no-wait', '-'], spec)).trim()
}

async function describe(id) {
  return JSON.parse(await saltcod(['job', 'describe', id, '--output', 'json'])).Job
}

async function completed(id) {
  await until(async () => {
    const { StateType, Message } = (await describe(id)).State
    if (StateType === 'Failed' || StateType === 'Stopped')
      throw new Error(`${id} is ${StateType}: ${Message}`)
    return StateType === 'Completed'
  }, `${id} does not complete`)
}

/** Waits until the log of a job shows that it is well under way, and returns how far it is. */
async function inTheMiddle(id) {
  return until(async () => {
    if ((await describe(id)).State.StateType !== 'Running') return undefined
    const passes = (await printed(id)).match(/^pass \d+ of \d+$/gm)
    return passes !== null && passes.length > 5 ? passes.at(-1) : undefined
  }, `${id} does not come to its sixth pass`)
}

async function until(look, failure) {
  const endMs = Date.now() + DEADLINE_MS
  for (;;) {
    const found = await look()
    if (found) return found
    if (Date.now() > endMs) throw new Error(`${failure} within ${DEADLINE_MS / 1000} s`)
    await delay(200)
  }
}

async function printed(id) {
  return saltcod(['job', 'logs', id])
}

function oneLine(counts) {
  return counts
    .replaceAll(/^pass .*\n/gm, '')
    .trim()
    .split('\n')
    .join(', ')
}

/** Prints the history of a job, with what happened to the node in between. */
async function tell(id) {
  const entries = JSON.parse(await saltcod(['job', 'history', id, '--output', 'json']))
  const events = entries.map(({ Time, ExecutionID = '', Event }) => ({
    atMs: Date.parse(Time),
    text: `${ExecutionID.slice(0, 10).padEnd(10)}  ${Event.Topic.padEnd(18)}  ${Event.Message}`,
  }))
  const [first, last] = [events[0], events.at(-1)]
  const between = moments.filter(({ atMs }) => atMs > first.atMs && atMs < last.atMs)
  for (const { atMs, text } of [...events, ...between].sort((a, b) => a.atMs - b.atMs)) {
    console.log(`  ${((atMs - first.atMs) / 1000).toFixed(1).padStart(5)} s  ${text}`)
  }
  if (last.text.includes('Completed')) return
  throw new Error(`the history of ${id} does not end with its completion`)
}

function say(what, how) {
  console.log(`${what.padEnd(16)}${how}`)
}
