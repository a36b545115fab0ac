import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { boltBytes } from '../../../test/bolt-writer.ts'
import { ProgramSession } from '../../../test/program-session.ts'
import { OFFICIAL } from '../../../test/shared-fixtures.ts'
import { sharedDirectory } from '../../../test/temporary-directory.ts'

const session = new ProgramSession(new URL('../dist/cli/run.js', import.meta.url))
afterAll(() => session.close())

const directory = sharedDirectory({
  'some.db': boltBytes({ jobs: { rows: { 'j-1': { rows: { spec: 'of it' } } } }, none: { rows: {} } }),
})

interface Row {
  readonly command: string
  readonly answer: string
}

const document = readFileSync(new URL('../../../docs/bolt-format.md', import.meta.url), 'utf8')
const rows: readonly Row[] = [...document.matchAll(/^\| (?<commands>`.*`) \| (?<answer>.*) \|$/gm)]
  .flatMap(({ groups }) =>
    [...(groups?.['commands'] ?? '').matchAll(/`(?<command>[^`]+)`/g)].map((match) => ({
      command: match.groups?.['command'] ?? '',
      answer: groups?.['answer'] ?? '',
    })),
  )
  .filter(({ command }) => /^(COMMAND|[a-z-]+)( |$)/.test(command) && command !== 'maxValueBytes')

/** The words of a row with something for each that stands for another. */
function commandLine(command: string): readonly string[] {
  const standing: Readonly<Record<string, readonly string[]>> = {
    FILE: [join(directory, 'some.db')],
    TARGET: [join(directory, 'target.db')],
    'BUCKET...': ['jobs', 'j-1'],
    KEY: [command.includes('--parse-format') ? '73706563' : 'spec'],
    'PAGE...': ['0', '2'],
    PAGE: ['2'],
    ITEM: ['0'],
    FORMAT: ['hex'],
    BYTES: ['65536'],
    SHELL: ['bash'],
    COMMAND: ['keys'],
  }
  return command.split(' ').flatMap((word) => standing[word] ?? [word])
}

function official(args: readonly string[]): { readonly status: number | null; readonly stdout: string } {
  return spawnSync(OFFICIAL ?? '', ['bbolt', ...args], { encoding: 'utf8', cwd: directory })
}

describe('a row of the table of the commands of bbolt', () => {
  test('is there for many', () => {
    expect(rows.length).toBeGreaterThan(25)
  })

  test.each(rows)('$command: $answer', async ({ command, answer }) => {
    const { code, stdout, stderr } = await session.run(commandLine(command), { cwd: directory })
    if (answer.startsWith('no:')) return expect(code, stdout).toBe(2)
    expect([code, stderr]).toEqual([0, ''])
    const isCompared = OFFICIAL !== null && !/^completion|help/.test(command)
    if (!isCompared) return
    const theirs = official(commandLine(command)).stdout
    if (command.startsWith('info')) expect(stdout.startsWith(theirs)).toBe(true)
    else expect(stdout.trimEnd()).toBe(theirs.trimEnd())
  })
})

describe.runIf(OFFICIAL !== null)('the table has', () => {
  const commandsOf = (help: string) =>
    [
      ...(/^Available Commands:\n(?<list>(?: .*\n)+)/m.exec(help)?.groups?.['list'] ?? '').matchAll(
        /^ +(?<name>\S+)/gm,
      ),
    ].map(({ groups }) => groups?.['name'] ?? '')

  test('every command of bbolt, and every flag', () => {
    const commands = commandsOf(official(['--help']).stdout)
    expect(commands).toContain('surgery')
    for (const command of commands) {
      const own = rows.filter(({ command: row }) => row.split(' ')[0] === command)
      if (command !== 'help') expect(own, command).not.toEqual([])
      // What bbolt measures with and what it operates with is told of as a whole.
      if (command === 'bench' || command === 'surgery') continue
      const help = official([command, '--help']).stdout
      for (const [flag] of help.matchAll(/--[a-z-]+|(?<=^ +)-[a-z]\b/gm)) {
        if (flag === '--help' || flag === '-h') continue
        const isThere = own.some(({ command: row }) => row.split(' ').includes(flag))
        expect(isThere || flag === '--output', `${command} ${flag}`).toBe(true)
      }
    }
  })
})
