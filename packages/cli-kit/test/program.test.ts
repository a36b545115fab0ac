import { spawnSync } from 'node:child_process'
import { openSync } from 'node:fs'
import { expect, test } from 'vitest'
import { type KeptTerminal, keptTerminal } from '../../../test/kept-terminal.ts'
import {
  addCommand,
  createProgram,
  durationMs,
  examplesOf,
  Failure,
  labelsOption,
  outputOption,
  positiveNumber,
  processTerminal,
  runProgram,
  sizeBytes,
  wholeNumber,
  wordsOption,
} from '../src/index.ts'

const FORMER = new TypeError('before')

/** Runs a program whose command `do` throws what it is given by the name of its first argument. */
async function ran(...args: readonly string[]): Promise<KeptTerminal & { readonly code: number }> {
  const terminal = keptTerminal()
  const program = createProgram(terminal, {
    name: 'pets',
    description: 'Keeps pets.',
    version: 'v1',
    notes: 'Exit codes: some.',
  })
  const errors: Readonly<Record<string, Error>> = {
    failure: new Failure(7, ['one\nand more', 'two'], { hint: 'feed it', cause: new Error('hunger') }),
    former: FORMER,
    error: new Error('boo\nm'),
  }
  addCommand(program, 'do <what>', {
    description: 'Does it.',
    notes: 'Beware.',
    examples: ['pets do nothing'],
  })
    .addOption(outputOption())
    .action((what: string) => {
      const error = errors[what]
      if (error !== undefined) throw error
      terminal.out('done\n')
    })
  const code = await runProgram(terminal, program, args, {
    unforeseen: 9,
    failureOf: (error) => (error === FORMER ? new Failure(8, 'known') : error),
  })
  return Object.assign(terminal, { code })
}

test.each([
  [['do', 'nothing'], 0, 'done\n', ''],
  [['do', 'failure'], 7, '', 'Error: one\n  and more\nError: two\nHint: feed it\n'],
  [['do', 'former'], 8, '', 'Error: known\n'],
  [
    ['do', 'error'],
    9,
    '',
    'Error: boo m\nHint: this should not happen; run it again with --debug and report what it prints\n',
  ],
  [['do', ' '], 2, '', 'Error: <what> is empty\nHint: see the usage with --help\n'],
  [['od'], 2, '', "Error: unknown command 'od' (Did you mean do?)\nHint: see the usage with --help\n"],
  [['do', 'x', '--nonsense'], 2, '', "Error: unknown option '--nonsense'\nHint: see the usage with --help\n"],
  [
    ['do', 'x', '-o', 'html'],
    2,
    '',
    "Error: option '-o, --output <format>' argument 'html' is invalid. Allowed choices are table, json, ndjson, yaml, csv.\nHint: see the usage with --help\n",
  ],
  [['--version'], 0, 'v1\n', ''],
])('%j ends with %d', async (args, code, stdout, stderr) => {
  expect(await ran(...args)).toMatchObject({ code, stdout, stderr })
})

test('without a command the help is shown, and that is wrong usage; asked for, it is not', async () => {
  const none = await ran()
  expect(none).toMatchObject({ code: 2, stdout: '' })
  expect(none.stderr).toContain('Exit codes: some.')
  const asked = await ran('do', '--help')
  expect(asked).toMatchObject({ code: 0, stderr: '' })
  expect(asked.stdout).toMatch(/Does it\.[\s\S]*Beware\.\n\nExamples:\n {2}\$ pets do nothing\n/)
})

test('--debug tells where an error came from', async () => {
  expect((await ran('--debug', 'do', 'failure')).stderr).toMatch(/Hint: feed it\nError: hunger\n +at /)
  expect((await ran('--debug', 'do', 'error')).stderr).toMatch(/report what it prints\nError: boo\nm\n +at /)
})

test('an option of the program takes none of a command, and --debug stands anywhere', async () => {
  const terminal = keptTerminal()
  const program = createProgram(terminal, { name: 'p', description: '', version: 'v1', notes: '' })
  const family = addCommand(program, 'job', { description: '' })
  addCommand(family, 'run', { description: '' })
    .option('-V, --version <text>', 'of the command')
    .action(({ version }: { readonly version: string }) => {
      terminal.out(`version ${version}\n`)
      throw new Failure(1, 'no', { cause: new Error('hunger') })
    })
  const run = (...args: readonly string[]) =>
    runProgram(terminal, program, args, { unforeseen: 9, failureOf: (error) => error })
  expect(await run('job', 'run', '-V', 'x', '--debug')).toBe(1)
  expect(terminal.stdout).toBe('version x\n')
  expect(terminal.stderr).toMatch(/^Error: no\nError: hunger\n +at /)
  expect(await run('-V')).toBe(0)
  expect(terminal.stdout).toBe('version x\nv1\n')
})

test('a command knows its examples', () => {
  const program = createProgram(keptTerminal(), { name: 'p', description: '', version: '', notes: '' })
  const command = addCommand(program, 'x', { description: '', examples: ['p x'] })
  expect([examplesOf(command), examplesOf(program)]).toEqual([['p x'], []])
})

test.each([
  [wholeNumber, '0', 0, ['-1', '1.5', '', '1e3', '1234567890123456']],
  [positiveNumber, '12', 12, ['0', '-1', 'x']],
  [sizeBytes, '64MiB', 67_108_864, ['x', '-1', '1XB']],
  [durationMs, '1m30s', 90_000, ['x', '-1s', '1y']],
] as const)('%o reads %j', (read, text, value, refused) => {
  expect(read(text)).toBe(value)
  for (const other of refused) expect(() => read(other)).toThrow(/^It must be/)
})

test('an option of words takes several, whatever their case, and names what is none of them', () => {
  const option = wordsOption('--kind <kind>', '', ['Cat', 'Dog'])
  expect(option.parseArg?.('cat, DOG', undefined)).toEqual(['Cat', 'Dog'])
  expect(option.parseArg?.('dog', ['Cat'])).toEqual(['Cat', 'Dog'])
  expect(() => option.parseArg?.('cow', undefined)).toThrow("'cow' is none of Cat, Dog.")
})

test('label selectors are collected as they are, and what is none is refused before anybody is asked', () => {
  const { parseArg: collectSelectors = () => undefined } = labelsOption()
  expect(collectSelectors('a in (b)', undefined)).toEqual(['a in (b)'])
  expect(collectSelectors('!c', ['a in (b)'])).toEqual(['a in (b)', '!c'])
  expect(() => collectSelectors('a b', undefined)).toThrow(/cannot read the label selector "a b": .*: write /)
})

test('standard output that cannot be written is a failure with a code of its own', () => {
  const full = Object.assign(Object.create(process.stdout), { fd: openSync('/dev/full', 'w') })
  const { stdin, stderr, env } = process
  const terminal = processTerminal({ stdin, stdout: full, stderr, env }, { unwritable: 6 })
  expect(() => terminal.out('x')).toThrow(
    expect.objectContaining({ exitCode: 6, message: expect.stringContaining('ENOSPC') }),
  )
})

test('a program does not end before its command, although nothing else keeps its process alive', () => {
  const library = new URL('../dist/index.js', import.meta.url).href
  const { status, stdout } = spawnSync(
    process.execPath,
    [
      '--input-type=module',
      '--eval',
      `import { addCommand, createProgram, processTerminal, runProgram } from ${JSON.stringify(library)}
       const terminal = processTerminal(process, { unwritable: 1 })
       const program = createProgram(terminal, { name: 'p', description: '', version: '1', notes: '' })
       addCommand(program, 'wait', { description: '', examples: [] }).action(async () => {
         const limit = AbortSignal.timeout(100)
         await new Promise((resolve) => limit.addEventListener('abort', resolve))
         terminal.out('over')
       })
       process.exitCode = await runProgram(terminal, program, ['wait'], { unforeseen: 1, failureOf: (e) => e })`,
    ],
    { encoding: 'utf8' },
  )
  expect({ status, stdout }).toEqual({ status: 0, stdout: 'over' })
})
