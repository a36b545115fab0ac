import { execFile, execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify, stripVTControlCharacters } from 'node:util'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'

/** The official programs, which lie beside the project where somebody keeps them; it carries none. */
const TOOLS = fileURLToPath(new URL('../../../../../shared/tools/', import.meta.url))
const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url))
const SCRIPT = fileURLToPath(new URL('./official-day.sh', import.meta.url))
const NOTHING = 'AGFzbQEAAAABBAFgAAADAgEABwoBBl9zdGFydAAACgQBAgALAAkEbmFtZQACAW0='
const FOREVER = 'AGFzbQEAAAABBAFgAAADAgEABwoBBl9zdGFydAAACgkBBwADQAwACwsACQRuYW1lAAIBbQ=='

/** Why the official programs cannot be run here; `null` where they can. */
function missing(): string | null {
  if (!existsSync(join(TOOLS, 'official'))) return `there are no official programs in ${TOOLS}`
  try {
    execFileSync('unshare', ['-n', 'true'])
    return null
  } catch {
    return 'this user may make no network namespace'
  }
}

function jobFile(name: string, type: string, module: string, version: string): string {
  const Source = { Type: 'inline', Params: { URL: `data:application/wasm;base64,${module}` } }
  const input = { Source, Target: '/m.wasm' }
  const isOld = version === '1.4.0'
  const EntryModule = isOld ? input : '/m.wasm'
  const Engine = { Type: 'wasm', Params: { EntryModule, Entrypoint: '_start' } }
  const task = {
    Name: 'main',
    Engine,
    Publisher: { Type: 'local' },
    ...(isOld ? {} : { InputSources: [input] }),
  }
  return JSON.stringify({
    Name: name,
    Type: type,
    Count: 1,
    Labels: { a: name === 'first' ? 'b' : 'c' },
    Tasks: [task],
  })
}

interface Told {
  readonly command: string
  readonly exitCode: string
  readonly columns: readonly string[]
}

/** What each command said: its exit code, and the headings of its tables, of which nothing changes with the day. */
function toldIn(output: string): Told[] {
  const told: Told[] = []
  let columns: string[] = []
  for (const line of stripVTControlCharacters(output).split('\n')) {
    const end = /^### (\d+) (.*)$/.exec(line)
    if (end !== null) {
      told.push({ exitCode: end[1] ?? '', command: end[2] ?? '', columns })
      columns = []
    } else {
      const heading = line
        .replace(/^.*🐟\.*\s+(?=TIME)/u, '')
        .trim()
        .replaceAll(/ {2,}/g, '  ')
      // The columns for GPUs are folded where the others are wide.
      if (/^[A-Z.]+(?: [A-Z.]+)*(?: {2}[A-Z.]+(?: [A-Z.]+)*)+$/.test(heading)) columns.push(heading)
    }
  }
  return told
}

async function dayOf(version: string, whose: 'ours' | 'theirs'): Promise<{ told: Told[]; output: string }> {
  const day = temporaryDirectory()
  const official = join(TOOLS, 'official')
  const repository = join(day, 'repo')
  mkdirSync(repository)
  writeFileSync(join(day, 'm.wasm'), Buffer.from(NOTHING, 'base64'))
  writeFileSync(join(day, 'first.yaml'), jobFile('first', 'batch', NOTHING, version))
  writeFileSync(join(day, 'service.yaml'), jobFile('service', 'service', FOREVER, version))
  const servers = {
    ours: [process.execPath, MAIN, 'serve', '--repo', repository, '--port', '1341', '--name', 'lisbon'],
    '1.9.3': [
      official,
      '1.9.3',
      'serve',
      '--data-dir',
      repository,
      '-c',
      join(TOOLS, 'node-1.9.3.yaml'),
      '--name',
      'lisbon',
    ],
    '1.4.0': [
      ...[
        official,
        '1.4.0',
        'serve',
        '--repo',
        repository,
        '--node-type',
        'compute,requester',
        '--host',
        '127.0.0.1',
      ],
      ...['--port', '1341', '--name', 'lisbon', '--local-publisher-address', '127.0.0.1'],
      '--job-selection-accept-networked',
    ],
  }
  const server = servers[whose === 'ours' ? 'ours' : (version as '1.9.3' | '1.4.0')]
  const args = ['-n', 'bash', SCRIPT, official, version, ...server]
  const env = { ...process.env, DAY: day, PORT: '1341', LOGS: whose === 'ours' ? 'yes' : 'no' }
  const { stdout } = await promisify(execFile)('unshare', args, { env, maxBuffer: 64 * 1024 * 1024 })
  return { told: toldIn(stdout), output: stdout }
}

test.for(['1.9.3', '1.4.0'])(
  'the official command line %s has the same day with a node as with a real one',
  { timeout: 600_000 },
  async (version, { annotate }) => {
    const why = missing()
    if (why !== null) {
      await annotate(`not compared: ${why}`)
      return
    }
    const ours = await dayOf(version, 'ours')
    const theirs = await dayOf(version, 'theirs')
    expect(theirs.told.length).toBeGreaterThan(20)
    expect(theirs.told.flatMap(({ columns }) => columns).length).toBeGreaterThan(8)
    expect(ours.output).not.toMatch(/job failed/)
    const common = ours.told.filter(({ command }) => !command.startsWith('job logs'))
    expect(common, ours.output).toEqual(theirs.told)
    expect(ours.told.slice(common.length).map(({ exitCode }) => exitCode)).toEqual(['0', '0'])
    for (const { output } of [ours, theirs]) expect(output).toMatch(/exitCode\nstderr\nstdout\n/)
  },
)
