import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Argument, Option } from 'commander'
import { expect, test } from 'vitest'
import { type KeptTerminal, keptTerminal } from '../../../test/kept-terminal.ts'
import { temporaryDirectory } from '../../../test/temporary-directory.ts'
import { addCommand, addCompletionCommand, type Candidates, createProgram, runProgram } from '../src/index.ts'

/** Runs a program with commands in commands, whose names the program itself is asked for. */
async function pets(...args: readonly string[]): Promise<KeptTerminal & { readonly code: number }> {
  const terminal = keptTerminal()
  const program = createProgram(terminal, { name: 'my-pets', description: '', version: '', notes: '' })
  const cat = addCommand(program, 'cat', { description: "Keeps a cat's things." })
  addCommand(cat, 'call <name>', { description: 'Calls it.' })
    .option('--loud', 'so that it hears')
    .option('--home <place>', 'where it lives')
    .addOption(new Option('--hidden').hideHelp())
    .addOption(new Option('--with <what>').choices(['a bell', "milk's"]))
    .action(() => undefined)
  addCommand(cat, 'paint', { description: '' }).addArgument(new Argument('<colour>').choices(['red', 'blue']))
  program.command('names', { hidden: true }).action(() => undefined)
  const ask = { command: 'names', passOn: ['--home'] }
  addCompletionCommand(program, terminal, {
    description: '',
    candidatesOf: (place): Candidates | undefined =>
      place instanceof Argument && place.name() === 'name' ? { ask } : undefined,
    inPlaceOfCommand: { files: true },
  })
  const code = await runProgram(terminal, program, args, { unforeseen: 1, failureOf: (error) => error })
  return Object.assign(terminal, { code })
}

test('bash completes commands, options, words, files, and what the program answers (needs bash)', async () => {
  const directory = temporaryDirectory({ bash: (await pets('completion', 'bash')).stdout, 'my file': '' })
  const offers = (...words: readonly string[]): string[] => {
    const script = `my-pets() { echo "tom $*"; echo 'u$(touch ran)'; }; source ./bash
      COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _my_pets; printf '%s\\n' "\${COMPREPLY[@]}"`
    const { stdout, stderr } = spawnSync('bash', ['-c', script, 'bash', 'my-pets', ...words], {
      cwd: directory,
      encoding: 'utf8',
    })
    expect(stderr).toBe('')
    return stdout.split('\n').filter((line) => line !== '')
  }
  expect(offers('c')).toEqual(['cat', 'completion'])
  expect(offers('n')).toEqual([])
  expect(offers('my')).toEqual(['my file'])
  expect(offers('cat', 'c')).toEqual(['call'])
  expect(offers('cat', 'paint', '')).toEqual(['red', 'blue'])
  expect(offers('cat', 'paint', 'my')).toEqual([])
  expect(offers('cat', 'call', '--')).toEqual(['--loud', '--home', '--with', '--help'])
  expect(offers('cat', 'call', '--with', '')).toEqual(['a bell', "milk's"])
  expect(offers('cat', 'call', '--home', 'my')).toEqual(['my file'])
  expect(offers('cat', 'call', 't')).toEqual(['tom names'])
  expect(offers('cat', 'call', '--home', 'x y', '--loud', 't')).toEqual(['tom names --home x y'])
  expect(offers('cat', 'call', 'u')).toEqual(['u$(touch ran)'])
  expect(offers('cat', 'call', 'ra')).toEqual([])
  expect(existsSync(join(directory, 'ran'))).toBe(false)
  expect(offers('completion', 'f')).toEqual(['fish'])
})

test('the script for fish has the same in its own words', async () => {
  const lines = (await pets('completion', 'fish')).stdout.split('\n')
  const inside =
    "complete -c my-pets -n '__fish_seen_subcommand_from cat; and __fish_seen_subcommand_from call'"
  expect(lines).toContain(
    "complete -c my-pets -n '__fish_use_subcommand' -a 'cat' -d 'Keeps a cat\\'s things.'",
  )
  expect(lines).toContain(
    "complete -c my-pets -n '__fish_seen_subcommand_from cat; and not __fish_seen_subcommand_from call paint help' -f -a 'call' -d 'Calls it.'",
  )
  expect(lines).toContain(`${inside} -f -a '(my-pets names 2>/dev/null)'`)
  expect(lines).toContain(`${inside} -l loud -d 'so that it hears'`)
  expect(lines).toContain(`${inside} -l home -d 'where it lives' -r`)
  expect(lines.join('\n')).not.toMatch(/hidden|-a 'names'/)
})

test('zsh runs the script for bash, and another shell has none', async () => {
  expect((await pets('completion', 'zsh')).stdout).toMatch(/^#compdef my-pets\nautoload -U \+X bashcompinit/)
  // These are zsh's own: a local `path` takes all programs away.
  expect((await pets('completion', 'zsh')).stdout).not.toMatch(/\b(path|words|options|argv|status|history)=/)
  const other = await pets('completion', 'tcsh')
  expect(other).toMatchObject({ code: 2, stdout: '' })
  expect(other.stderr).toContain('Allowed choices are bash, zsh, fish.')
})
