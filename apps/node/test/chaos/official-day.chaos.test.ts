import { execFile, spawn } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { IS_LONG } from '../../../../test/seed.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { OFFICIAL, officialMissing, type Release } from '../official-programs.ts'
import { type DayCommand, longDay, networkDay, shortDay } from './official-commands.ts'
import { DAY_MODULES, dayFiles } from './official-files.ts'
import {
  DAY_PORT,
  type Guard,
  guardedServer,
  networkServers,
  oneServer,
  type Whose,
} from './official-servers.ts'
import { linesOf, type Told, without } from './told-lines.ts'

const DAY = fileURLToPath(new URL('./official-day.mjs', import.meta.url))
const DOCUMENT = fileURLToPath(new URL('../../../../docs/compatibility.md', import.meta.url))
/** Each flag of each command; without, what everybody uses. */
/** The flags by which a command finds its server, and what tells of itself. */
const GLOBAL = /^--(?:help|api-host|api-port|config|data-dir|profile|cacert|insecure|log-mode|repo|tls)$/

/** A row of the document: what is said otherwise, and where. `…` stands for anything. */
interface Row {
  readonly releases: readonly string[]
  readonly commands: readonly string[]
  readonly theirs: readonly RegExp[]
  readonly ours: readonly RegExp[]
  readonly text: string
}

function rows(): readonly Row[] {
  return readFileSync(DOCUMENT, 'utf8')
    .split('\n')
    .flatMap((line) => {
      const cells = line.replace(/^\| | \|$/g, '').split(' | ')
      const [releases = '', commands = '', theirs = '', ours = '', why = ''] = cells
      if (cells.length !== 5 || !/^1\.\d/.test(releases)) return []
      expect(why, `a reason in ${line}`).not.toBe('')
      const [told, said] = [patternsOf(theirs), patternsOf(ours)]
      return [
        {
          releases: releases.split(', '),
          commands: commands.split(', '),
          theirs: told,
          ours: said,
          text: line,
        },
      ]
    })
}

function patternsOf(cell: string): readonly RegExp[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, pattern = '']) => {
    const parts = pattern.split('…').map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
    return new RegExp(`^(?:error output: )?${parts.join('.*')}$`)
  })
}

interface Day {
  readonly commands: readonly DayCommand[]
  /** What serves, and which nodes are waited for. */
  readonly servers: readonly (readonly string[])[]
  readonly nodes: readonly string[]
  /** Absent where nobody is asked for anything. */
  readonly guard?: Guard
}

async function dayOf(release: Release, day: (directory: string) => Day): Promise<readonly Told[]> {
  const directory = temporaryDirectory()
  for (const name of ['got', 'raw', 'named', 'ipfs']) mkdirSync(join(directory, name))
  for (const [name, bytes] of Object.entries(DAY_MODULES))
    writeFileSync(join(directory, `${name}.wasm`), bytes)
  for (const [name, content] of Object.entries(dayFiles(release)))
    writeFileSync(join(directory, name), content)
  const child = spawn('unshare', ['-n', process.execPath, DAY], { stdio: ['pipe', 'pipe', 'pipe'] })
  const plan = { tool: OFFICIAL, version: release, port: DAY_PORT, directory, ...day(directory) }
  child.stdin.end(JSON.stringify(plan))
  const [told, errors] = await Promise.all([text(child.stdout), text(child.stderr)])
  expect(told, errors).not.toBe('')
  return JSON.parse(told) as readonly Told[]
}

/** Lists what a command says otherwise with the one server than with the other, and no row explains. */
function unexplained(theirs: Told, ours: Told, release: Release, used: Set<Row>): readonly string[] {
  const [told, said] = [linesOf(theirs), linesOf(ours)]
  const known = rowsOf(release, theirs.line)
  const left = (lines: readonly string[], side: 'theirs' | 'ours'): readonly string[] =>
    lines.filter((line) => {
      const row = known.find((candidate) => candidate[side].some((pattern) => pattern.test(line)))
      if (row !== undefined) used.add(row)
      return row === undefined
    })
  return [
    ...left(without(told, said), 'theirs').map((line) => `- ${line}`),
    ...left(without(said, told), 'ours').map((line) => `+ ${line}`),
  ]
}

const ALL_ROWS = rows()

/** The older release says little that the newer does not; its days take as long. */
const RELEASES = IS_LONG ? (['1.9.3', '1.4.0'] as const) : (['1.9.3'] as const)

function rowsOf(release: Release, line: string): readonly Row[] {
  return ALL_ROWS.filter(
    ({ releases, commands }) =>
      releases.includes(release) && commands.some((command) => command === 'any' || line.startsWith(command)),
  )
}

const networkDayOf =
  (release: Release) =>
  (directory: string, whose: Whose): Day => ({
    commands: networkDay(),
    servers: networkServers(release, whose, directory),
    nodes: ['porto', 'faro'],
  })

/** Has a release do the same with a real server and with ours, and returns what no row of the document explains. */
async function compare(
  release: Release,
  day: (directory: string, whose: Whose) => Day,
  used: Set<Row> = new Set(),
): Promise<string> {
  const [theirs, ours] = await Promise.all([
    dayOf(release, (directory) => day(directory, 'theirs')),
    dayOf(release, (directory) => day(directory, 'ours')),
  ])
  expect(ours.map(({ line }) => line)).toEqual(theirs.map(({ line }) => line))
  return theirs
    .flatMap((told, index) => {
      const lines = unexplained(told, ours[index] as Told, release, used)
      return lines.length === 0 ? [] : [[`# ${told.line}`, ...lines].join('\n')]
    })
    .join('\n')
}

test.for(RELEASES)(
  'the official command line %s says the same to a node as to a real one, but for what docs/compatibility.md says',
  { timeout: 1_800_000 },
  async (release, { annotate }) => {
    const why = officialMissing()
    if (why !== null) {
      await annotate(`not compared: ${why}`)
      return
    }
    const used = new Set<Row>()
    const commands = IS_LONG ? longDay(release) : shortDay(release)
    const day = (directory: string, whose: Whose): Day => ({
      commands,
      servers: [oneServer(release, whose, directory)],
      nodes: ['lisbon'],
    })
    expect(await compare(release, day, used)).toBe('')
    if (!IS_LONG) return
    expect(await compare(release, networkDayOf(release), used)).toBe('')
    const idle = ALL_ROWS.filter((row) => row.releases.includes(release) && !used.has(row))
    expect(
      idle.map((row) => row.text),
      'the document tells of what is the same',
    ).toEqual([])
  },
)

test.for(RELEASES)(
  'the official command line %s looks after a requester with two compute nodes as after a real one',
  { timeout: 300_000 },
  async (release, { annotate }) => {
    const why = officialMissing()
    if (why !== null) {
      await annotate(`not compared: ${why}`)
      return
    }
    expect(await compare(release, networkDayOf(release))).toBe('')
  },
)

test('over TLS, with an API key, the official command line 1.9.3 says the same as to a real node that asks for nothing', {
  timeout: 1_800_000,
}, async ({ annotate }) => {
  const why = officialMissing()
  if (why !== null) {
    await annotate(`not compared: ${why}`)
    return
  }
  const commands = IS_LONG ? longDay('1.9.3') : shortDay('1.9.3')
  const day = (directory: string, whose: Whose): Day => {
    const servers = [oneServer('1.9.3', whose, directory)]
    if (whose === 'theirs') return { commands, servers, nodes: ['lisbon'] }
    const { server, guard } = guardedServer(directory)
    return { commands, servers: [server], nodes: ['lisbon'], guard }
  }
  expect(await compare('1.9.3', day)).toBe('')
})

test.for(['1.9.3', '1.4.0'] as const)('the long day of %s has every flag', async (release, { annotate }) => {
  const why = officialMissing()
  if (why !== null) {
    await annotate(`not looked for: ${why}`)
    return
  }
  const lines = longDay(release).map(({ line }) => line)
  const groups = ['job run', 'job list', 'job executions', 'job history', 'job logs', 'job stop', 'job get']
  const commands = [...groups, 'job describe', 'node list', 'node describe', 'wasm run']
  for (const command of commands.concat(release === '1.9.3' ? ['job rerun', 'job versions'] : [])) {
    const args = ['-n', OFFICIAL, release, ...command.split(' '), '--help']
    const { stdout } = await promisify(execFile)('unshare', args)
    const flags = [...stdout.matchAll(/^ +(?:(-\w), )?(--[\w-]+)/gm)]
    const words = lines.filter((line) => line.startsWith(command)).flatMap((line) => line.split(/[ =]/))
    const absent = flags.filter(
      ([, short = '', long = '']) => !GLOBAL.test(long) && !words.includes(long) && !words.includes(short),
    )
    expect([command, absent.map(([, , long]) => long)]).toEqual([command, []])
  }
})
