import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const sources = fileURLToPath(new URL('./peer/', import.meta.url))
const template = fileURLToPath(new URL('./fixtures/job.json', import.meta.url))
const SQLITE_VERSION = `
  import Database from 'better-sqlite3'
  console.log(new Database(':memory:').prepare('SELECT sqlite_version()').pluck().get())
`

/**
 * Builds the peer program into a directory and returns its path with the versions that it was built from.
 * Returns `{ missing }`, a sentence, where Go or bbolt is not installed.
 */
export async function buildPeer(directory) {
  const environment = { ...process.env, GO111MODULE: 'off', GOPATH: '/usr/share/gocode' }
  const binary = join(directory, 'peer')
  let go
  try {
    go = (await run('go', ['env', 'GOVERSION'])).stdout.trim()
  } catch {
    return { missing: 'there is no Go here (Debian: golang-go, golang-github-coreos-bbolt-dev)' }
  }
  try {
    await run('go', ['build', '-o', binary, '.'], { cwd: sources, env: environment })
  } catch (error) {
    const line =
      String(error.stderr)
        .split('\n')
        .find((text) => text.includes('bbolt')) ?? String(error.stderr)
    return { missing: `Go cannot build it: ${line.trim()} (Debian: golang-github-coreos-bbolt-dev)` }
  }
  return { binary, versions: { go, bbolt: await bboltVersion() } }
}

async function bboltVersion() {
  try {
    const { stdout } = await run('dpkg-query', ['-s', 'golang-github-coreos-bbolt-dev'])
    return /^Version: (.*)$/m.exec(stdout)?.[1] ?? 'unknown'
  } catch {
    return 'unknown'
  }
}

/**
 * Finds SQLite as Node.js programs use it, and returns how its two peer programs are started, with the versions.
 * Returns `{ missing }`, a sentence, where it is not installed: it is compiled where no binary can be fetched, which
 * nobody should have to do who only installs this project.
 */
export async function findSqlite() {
  const directory = fileURLToPath(new URL('./sqlite/', import.meta.url))
  try {
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', SQLITE_VERSION], {
      cwd: directory,
    })
    const program = (transactions) => [process.execPath, join(directory, 'peer-process.mjs'), transactions]
    return { each: program('each'), group: program('group'), versions: { sqlite: stdout.trim() } }
  } catch {
    const install = 'npm install --prefix bench/sqlite --no-save --no-package-lock better-sqlite3@12'
    return { missing: `better-sqlite3 is not there or cannot be loaded (${install})` }
  }
}

/** Starts a peer program. Its requests are answered one after the other; a refused one throws. */
export async function startPeer([program, ...parameters]) {
  const child = spawn(program, parameters, { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  await once(child, 'spawn')

  async function request(op, fields = {}) {
    child.stdin.write(`${JSON.stringify({ op, template, ...fields })}\n`)
    const { value, done } = await lines.next()
    if (done) throw new Error(`the peer program ended while it did "${op}"`)
    const answer = JSON.parse(value)
    if (answer.error !== undefined) throw new Error(`the peer program failed: ${answer.error}`)
    return answer
  }

  async function stop() {
    const exit = once(child, 'exit')
    child.stdin.end()
    await exit
  }

  return { request, stop }
}
