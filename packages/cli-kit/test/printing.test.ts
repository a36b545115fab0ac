import { expect, test } from 'vitest'
import { keptTerminal } from '../../../test/kept-terminal.ts'
import {
  type Column,
  FORMATS,
  type Format,
  Progress,
  printList,
  printValue,
  printValues,
  RecoveryPrinter,
  RowPrinter,
} from '../src/index.ts'
import { prepareFormat } from '../src/print/format.ts'

interface Pet {
  readonly name: string
  readonly legs: number
}

const PETS: readonly Pet[] = [
  { name: 'cat\u202e', legs: 4 },
  { name: 'hen, old', legs: 2 },
]
const COLUMNS: readonly Column<Pet>[] = [
  { name: 'NAME', value: ({ name }) => name },
  { name: 'LEGS', value: ({ legs }) => String(legs) },
]

async function listed(format: Format, pets: readonly Pet[], whole = false): Promise<string> {
  await prepareFormat(format)
  const terminal = keptTerminal()
  if (whole) printList(terminal, format, pets, COLUMNS)
  else {
    const printer = new RowPrinter(terminal, format, COLUMNS)
    for (const pet of pets) printer.add(pet)
    printer.end('no pets')
  }
  return terminal.stdout + terminal.stderr
}

test.each([
  ['table', 'NAME       LEGS\ncat\\u202e  4\nhen, old   2\n', 'no pets\n'],
  ['json', '[\n{"name":"cat\\u202e","legs":4},\n{"name":"hen, old","legs":2}\n]\n', '[]\n'],
  ['ndjson', '{"name":"cat\\u202e","legs":4}\n{"name":"hen, old","legs":2}\n', ''],
  ['yaml', '- name: cat\u202e\n  legs: 4\n- name: hen, old\n  legs: 2\n', '[]\n'],
  ['csv', 'NAME,LEGS\ncat\\u202e,4\n"hen, old",2\n', 'NAME,LEGS\n'],
] as const)('a listing as %s', async (format, full, empty) => {
  expect(await listed(format, PETS)).toBe(full)
  expect(await listed(format, [])).toBe(empty)
})

test('a listing that is there as a whole has its header in a table, and is one document of indented JSON', async () => {
  expect(await listed('table', [], true)).toBe('NAME  LEGS\n')
  expect(await listed('json', PETS, true)).toBe(
    `${JSON.stringify(PETS, null, 2).replace('\u202e', '\\u202e')}\n`,
  )
})

test.each(['table', 'csv'] as const)(
  'a listing as %s without its header is the rows alone',
  async (format) => {
    await prepareFormat(format)
    const terminal = keptTerminal()
    for (const pets of [PETS, []]) printList(terminal, format, pets, COLUMNS, { hideHeader: true })
    expect(terminal.stdout.split('\n')).toHaveLength(3)
    expect(terminal.stdout).not.toMatch(/NAME/)
  },
)

test('one value is text for people, and whole for programs', async () => {
  const shown: Record<string, string> = {}
  for (const format of FORMATS) {
    await prepareFormat(format)
    const terminal = keptTerminal()
    printValue(terminal, format, { a: { b: [1, null] } }, () => 'text\n')
    shown[format] = terminal.stdout
  }
  expect(shown).toEqual({
    table: 'text\n',
    json: '{\n  "a": {\n    "b": [\n      1,\n      null\n    ]\n  }\n}\n',
    ndjson: '{"a":{"b":[1,null]}}\n',
    yaml: 'a:\n  b:\n    - 1\n    - null\n',
    csv: 'path,value\na.b.0,1\na.b.1,\n',
  })
})

test('several values are one document, and one of them is itself', () => {
  const print = (items: readonly number[]): string => {
    const terminal = keptTerminal()
    printValues(terminal, 'json', items, { toRow: (n) => n, toText: String })
    return terminal.stdout
  }
  expect([print([1]), JSON.parse(print([1, 2]))]).toEqual(['1\n', [1, 2]])
})

test('YAML on a terminal does not command it', async () => {
  await prepareFormat('yaml')
  const terminal = keptTerminal({ outputIsTerminal: true })
  printValue(terminal, 'yaml', PETS[0], () => '')
  expect(terminal.stdout).toContain('\\u202e')
})

test('a progress bar is drawn for a person, at most ten times a second, and taken away', () => {
  const terminal = keptTerminal({ errorIsTerminal: true })
  let nowMs = 0
  const bar = new Progress(terminal, () => nowMs)
  bar.show('rows', 1, 2)
  bar.show('rows', 2, 2)
  nowMs = 100
  bar.show('rows', 2, 2)
  bar.end()
  const halves = ['#', '.'].map((character) => character.repeat(15)).join('')
  expect(terminal.stderr).toBe(
    `\r\u001b[Krows [${halves}] 50 %, 1 of 2\r\u001b[Krows [${'#'.repeat(30)}] 100 %, 2 of 2\r\u001b[K`,
  )
  const open = keptTerminal({ errorIsTerminal: true })
  new Progress(open, () => 0).show('rows', 7, null)
  expect(open.stderr).toBe('\r\u001b[Krows 7')
  const file = keptTerminal()
  new Progress(file, () => 0).show('rows', 1, 2)
  expect(file.stderr).toBe('')
})

test('the plan of a restart tells each decision, how many there are of each kind, and what is damaged', async () => {
  const decision = {
    executionId: 'e-0a1b2c3d-1111-8222-9333-444455556666',
    jobId: 'nightly',
    jobType: 'batch',
    state: 'Running',
    ageMs: 61_000,
    action: 'fail',
    reason: 'interrupted',
    rule: 'Running/batch',
  }
  async function* plan() {
    yield { decisions: [decision, decision], quarantined: ['e-bad'] }
  }
  const terminal = keptTerminal()
  const printer = new RecoveryPrinter(terminal, { output: 'table' })
  await printer.add(plan())
  printer.end()
  expect(terminal.stdout).toMatch(/^EXECUTION +JOB .*\ne-0a1b2c3d +nightly +batch +Running +1m1s +fail/)
  expect(terminal.stdout).toMatch(/\nin all: 2 fail\n$/)
  expect(terminal.stderr).toBe('Warning: the record of e-bad is damaged, no restart touches it\n')
  const none = keptTerminal()
  new RecoveryPrinter(none, { output: 'table' }).end()
  expect([none.stdout, none.stderr]).toEqual(['', 'nothing to do: no execution is in progress\n'])
})
