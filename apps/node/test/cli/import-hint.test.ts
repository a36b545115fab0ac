import { execFile } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { WireJob, WirePage } from '@saltcod/bacalhau-records'
import { fileKind, listStores } from '@saltcod/config'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { completedJob, jobStoreBytes } from '../../../../test/bacalhau-writer.ts'
import { ProgramSession } from '../../../../test/program-session.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { COMMANDS, serveNode } from './binary.ts'

const run = promisify(execFile)
const INSPECTOR = new URL('../../../inspect/dist/cli/run.js', import.meta.url)
const JOBS = jobStoreBytes({ 'j-1': completedJob('j-1', { Name: 'old' }) })

let session: ProgramSession
let inspector: ProgramSession
beforeAll(() => {
  session = new ProgramSession(COMMANDS)
  inspector = new ProgramSession(INSPECTOR)
})
afterAll(async () => {
  await session.close()
  await inspector.close()
})

/** Starts a node that must refuse, and returns the command that its last line ends with. */
async function refusedCommand(
  repository: string,
  flags: readonly string[] = [],
): Promise<{ readonly command: string | undefined; readonly hint: string }> {
  const { code, stderr } = await session.run(['serve', '--repo', repository, '--port', '0', ...flags])
  expect(code).toBe(2)
  const hint = stderr.split('\n').find((line) => line.startsWith('Hint: ')) ?? ''
  return { command: /: (saltcod-inspect import .*)$/.exec(hint)?.[1], hint }
}

/** Pastes a line into a shell, and runs what that makes of it. */
async function paste(line: string | undefined): Promise<string> {
  const script = `saltcod-inspect() { printf '%s\\0' "$@"; }; ${line ?? 'false'}`
  const { stdout: words } = await run('bash', ['--norc', '-c', script])
  const { code, stdout, stderr } = await inspector.run(words.split('\0').slice(0, -1), { cwd: '/' })
  expect([code, stderr]).toEqual([0, ''])
  return stdout
}

function put(path: string, bytes: Buffer): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, bytes)
}

async function importedNames(repository: string): Promise<readonly string[]> {
  const [store] = listStores(repository).filter(
    ({ role, path }) => role === 'requester' && fileKind(path) === 'file',
  )
  const { stdout } = await inspector.run(['jobs', store?.path ?? '', '--output', 'json'])
  return (JSON.parse(stdout) as readonly { readonly name: string }[]).map(({ name }) => name)
}

test.each([
  ['plain', 'orchestrator/state_boltdb.db'],
  ['it\'s; `a` & \\ "b" *', 'orchestrator_store/jobs.db'],
  ['ünï \u202e-end', 'QmOld-requester/jobs.db'],
])('in %j the command that a start prints brings the jobs over as it stands', async (name, file) => {
  const repository = join(temporaryDirectory(), name)
  put(join(repository, file), JOBS)
  const { command, hint } = await refusedCommand(repository)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: no such character may reach a terminal.
  expect(hint).not.toMatch(/[\u0000-\u001f\u202e]/)
  const tried = await paste(command?.replace(/ --apply$/, ''))
  expect(tried).toContain('add --apply')
  expect((await refusedCommand(repository)).command).toBe(command)
  expect(await paste(command)).toContain('imported')
  expect(await importedNames(repository)).toEqual(['old'])
})

test('a node that is given an id, or the path of its store, gets the command for that', async () => {
  const directory = temporaryDirectory()
  const given = join(directory, 'given')
  put(join(given, 'orchestrator/state_boltdb.db'), JOBS)
  const { command } = await refusedCommand(given, ['--node-id', 'lisbon'])
  expect(await paste(command)).toContain('node lisbon')
  const node = await serveNode(given, ['--node-id', 'lisbon'])
  const answer = await fetch(`${node.url}/api/v1/orchestrator/jobs`)
  expect(((await answer.json()) as WirePage<WireJob>).Items.map(({ Name }) => Name)).toEqual(['old'])

  const elsewhere = join(directory, 'else where.db')
  put(elsewhere, JOBS)
  const repository = join(directory, 'repository')
  const other = await refusedCommand(repository, ['--requester-job-store-path', elsewhere])
  expect(other.hint).toContain('then start without the path of that store')
  await paste(other.command)
  expect(await importedNames(repository)).toEqual(['old'])
})

test('no command is printed that would be refused', async () => {
  const directory = temporaryDirectory()
  const repository = join(directory, 'repository')
  put(join(repository, 'orchestrator_store/jobs.db'), Buffer.from('no BoltDB file at all'))
  expect((await refusedCommand(repository)).command).toBeUndefined()
  const own = join(directory, 'own')
  await (await serveNode(own, ['--node-id', 'me'])).end()
  cpSync(own, join(directory, 'copy'), { recursive: true })
  put(join(directory, 'copy', 'other-requester', 'jobs.db'), JOBS)
  expect(existsSync(join(directory, 'copy', 'me-requester'))).toBe(true)
  expect((await refusedCommand(join(directory, 'copy'), ['--node-id', 'other'])).command).toBeUndefined()
})
