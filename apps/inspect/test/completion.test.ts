import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test, vi } from 'vitest'
import { sharedDirectory } from '../../../test/temporary-directory.ts'
import { inspect } from './fixture.ts'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 })

const directory = sharedDirectory({ 'jobs.db': '', 'my store.db': '' })

beforeAll(() => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    writeFileSync(join(directory, shell), inspect(directory, 'completion', shell).stdout)
  }
})

function has(shell: string): boolean {
  return spawnSync(shell, ['-c', 'true']).status === 0
}

function shellLines(shell: string, ...args: readonly string[]): string[] {
  const { stdout, stderr } = spawnSync(shell, args, { cwd: directory, encoding: 'utf8' })
  expect(stderr).toBe('')
  return stdout.split('\n').filter((line) => line !== '')
}

/** What bash offers for the last of the words. */
function bashOffers(...words: readonly string[]): string[] {
  const script = `source ./bash
    COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _saltcod_inspect
    printf '%s\\n' "\${COMPREPLY[@]}"`
  return shellLines('bash', '-c', script, 'bash', 'saltcod-inspect', ...words)
}

test.skipIf(!has('bash'))('bash completes commands, options, their words, and files (needs bash)', () => {
  expect(bashOffers('su')).toEqual(['summary'])
  expect(bashOffers('jobs', 'jobs.db', '--st')).toEqual(['--state'])
  expect(bashOffers('jobs', 'jobs.db', '--state', 'F')).toEqual(['Failed'])
  expect(bashOffers('jobs', 'jobs.db', '--output', '')).toEqual(['table', 'json', 'ndjson', 'yaml', 'csv'])
  expect(bashOffers('check', 'jo')).toEqual(['jobs.db'])
  expect(bashOffers('check', 'my')).toEqual(['my store.db'])
  expect(bashOffers('jobs.')).toEqual(['jobs.db'])
})

test.skipIf(!has('zsh'))('zsh loads its script (needs zsh)', () => {
  const script =
    'autoload -U compinit && compinit -u -d ./dump && source ./zsh && print $_comps[saltcod-inspect]'
  expect(shellLines('zsh', '-f', '-c', script)).toEqual(['_bash_complete -o filenames -F _saltcod_inspect'])
})

test.skipIf(!has('fish'))('fish completes commands and words (needs fish)', () => {
  const offers = (line: string): string[] =>
    shellLines('fish', '--no-config', '-c', `source ./fish; complete -C '${line}'`)
  expect(offers('saltcod-inspect summ')[0]).toMatch(/^summary\t/)
  expect(offers('saltcod-inspect jobs jobs.db --state F')).toEqual(['Failed'])
})
