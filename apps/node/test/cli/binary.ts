import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { WireGetJobAnswer } from '@saltcod/bacalhau-records'
import { onTestFinished } from 'vitest'
import { plainEnvironment } from '../../../../test/plain-environment.ts'
import { removeDirectory } from '../../../../test/remove-directory.ts'
import { unownedDirectory } from '../../../../test/temporary-directory.ts'

/** The program as it was built. */
export const PROGRAM: string = fileURLToPath(new URL('../../dist/main.js', import.meta.url))

/** The module that runs its command lines, for a `ProgramSession`. */
export const COMMANDS: URL = new URL('../../dist/cli/run.js', import.meta.url)

/** What a command did. */
export interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs the program to its end. */
export async function saltcod(
  argv: readonly string[],
  options: { readonly input?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Ran> {
  const child = spawn(process.execPath, [PROGRAM, ...argv], {
    env: { ...plainEnvironment(), ...options.env },
  })
  child.stdin.on('error', () => undefined)
  child.stdin.end(options.input ?? '')
  const [stdout, stderr, code] = await Promise.all([
    textOf(child.stdout),
    textOf(child.stderr),
    exitOf(child),
  ])
  return { code, stdout, stderr }
}

/** Runs the program with its standard output piped into a shell command, and resolves with what that printed. */
export async function saltcodInto(
  reader: string,
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Ran> {
  const script = `{ "$@"; echo "exit code $?" >&2; } | ${reader}`
  const child = spawn('sh', ['-c', script, 'sh', process.execPath, PROGRAM, ...argv], {
    env: { ...plainEnvironment(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [stdout, stderr, code] = await Promise.all([
    textOf(child.stdout),
    textOf(child.stderr),
    exitOf(child),
  ])
  return { code, stdout, stderr }
}

/** A served node. */
export interface Served {
  readonly directory: string
  readonly url: string
  /** The id of its process. */
  readonly pid: number
  /** The environment in which commands find it. */
  readonly env: Readonly<Record<string, string>>
  /** What it has written to standard error so far. */
  log(): string
  signal(name: NodeJS.Signals): void
  /** Kills it, whatever it does, and resolves once it is gone. */
  end(): Promise<void>
  readonly exited: Promise<Ran>
}

/** Finds a port that nothing listens on. */
export async function closedPort(): Promise<string> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return String(port)
}

/** Waits until a job of a node is in a state. Fails with all that happened to the job. */
export async function jobUntil(
  url: string,
  id: string,
  state: string,
  deadlineMs = 50_000,
): Promise<WireGetJobAnswer> {
  const endMs = Date.now() + deadlineMs
  for (;;) {
    const response = await fetch(`${url}/api/v1/orchestrator/jobs/${id}?include=executions,history`)
    const answer = (await response.json()) as WireGetJobAnswer
    if (answer.Job.State.StateType === state) return answer
    if (Date.now() > endMs) {
      const history = answer.History?.Items.map((item) => `${item.Time} ${item.Comment}`).join('\n')
      assert.fail(`job ${id} is ${answer.Job.State.StateType}, not ${state}:\n${history}`)
    }
    await delay(20)
  }
}

/** Serves a node in its own process until it takes requests, as another user if need be; it ends with the test. */
export async function serveNode(
  directory: string,
  flags: readonly string[] = [],
  owner?: { readonly uid: number; readonly gid: number },
): Promise<Served> {
  const node = await startNode(directory, flags, owner)
  onTestFinished(() => node.end())
  return node
}

/** Serves a node in a directory of its own for all tests of a file, which ends it. */
export async function keptNode(flags: readonly string[] = []): Promise<Served> {
  const directory = unownedDirectory()
  const node = await startNode(directory, flags, undefined)
  const end = async (): Promise<void> => {
    await node.end()
    await removeDirectory(directory)
  }
  return { ...node, end }
}

async function startNode(
  directory: string,
  flags: readonly string[],
  owner: { readonly uid: number; readonly gid: number } | undefined,
): Promise<Served> {
  const port = flags.includes('--port') ? [] : ['--port', '0']
  const child = spawn(process.execPath, [PROGRAM, 'serve', '--repo', directory, ...port, ...flags], {
    env: plainEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
    ...owner,
  })
  const end = async (): Promise<void> => {
    child.kill('SIGKILL')
    await exitOf(child)
  }
  let stdout = ''
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const exited = exitOf(child).then((code) => ({ code, stdout, stderr }))
  const line = await new Promise<string>((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
      if (stdout.includes('\n')) resolve(stdout)
    })
    child.stdout.on('end', () => resolve(stdout))
  })
  const url = /^listening on (https?:\/\/(?:127\.0\.0\.1|0\.0\.0\.0):\d+)\n$/
    .exec(line)?.[1]
    ?.replace('0.0.0.0', '127.0.0.1')
  if (url === undefined) await end()
  assert.ok(url !== undefined, `the node serves: ${JSON.stringify(line)} ${stderr}`)
  return {
    directory,
    url,
    pid: child.pid ?? 0,
    env: { BACALHAU_DIR: directory, BACALHAU_API_PORT: new URL(url).port },
    log: () => stderr,
    signal: (name) => void child.kill(name),
    end,
    exited,
  }
}

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  let text = ''
  stream.setEncoding('utf8')
  for await (const chunk of stream) text += String(chunk)
  return text
}

async function exitOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
  return new Promise((resolve) => child.on('close', (code) => resolve(code)))
}
