import { readFileSync } from 'node:fs'
import { jobSchema } from '@saltcod/bacalhau-records'
import { expect, test } from 'vitest'
import { engineKind } from '../../src/engines/kinds.ts'
import { type KeyShape, keysOf } from '../../src/spec/loose-keys.ts'
import { readSubmit } from '../../src/wire/job-input.ts'

const DOCUMENT = new URL('../../../../docs/job-files.md', import.meta.url)
const PARAMS: Readonly<Record<string, object>> = {
  wasm: { EntryModule: 'm.wasm' },
  exec: { Command: 'true' },
  noop: {},
  docker: { Image: 'a' },
}
/** A task that asks for what a row is about. */
const ASKS: Readonly<Record<string, object>> = {
  'Network.Type None': { Network: { Type: 'None' } },
  'Network.Type HTTP': { Network: { Type: 'HTTP', Domains: ['example.org'] } },
  'Network.Type Host': { Network: { Type: 'Host' } },
  'Network.Type Full': { Network: { Type: 'full' } },
  'Network.Type Bridge': { Network: { Type: 'Bridge' } },
  'Network.Ports[].Name': { Network: { Type: 'Host', Ports: [{ Name: 'WEB', Static: 8080 }] } },
  'Network.Ports[].Target': { Network: { Type: 'Host', Ports: [{ Name: 'WEB', Static: 8080, Target: 80 }] } },
  'Network.Ports[].HostNetwork': {
    Network: { Type: 'Host', Ports: [{ Name: 'WEB', HostNetwork: '10.0.0.1' }] },
  },
  'Resources.CPU': { Resources: { CPU: '0.1', Memory: '1mb', Disk: '1mb', GPU: '1' } },
  Env: { Env: { A: 'b', TOKEN: 'env:TOKEN' } },
  'ResultPaths[].Name': { ResultPaths: [{ Name: '/outputs', Path: '/outputs' }] },
  'Timeouts.ExecutionTimeout': { Timeouts: { ExecutionTimeout: 5, QueueTimeout: 5, TotalTimeout: 20 } },
}

interface Row {
  readonly keys: readonly string[]
  readonly cells: Readonly<Record<string, string>>
}

function rowsOf(document: string): readonly Row[] {
  const table = document.split('\n').filter((line) => line.startsWith('|'))
  const [head = '', , ...lines] = table
  const engines = [...head.matchAll(/`(\w+)`/g)].map(([, name = '']) => name)
  return lines.map((line) => {
    const [about = '', ...cells] = line.split('|').slice(1, -1)
    // `Key` `Value` is what is chosen of a key.
    const keys = [...about.matchAll(/`([^`]+)`(?: (?:absent or )?`(\w+)`)?/g)].map(([, key = '', value]) =>
      value === undefined ? key : `${key} ${value}`,
    )
    return { keys, cells: Object.fromEntries(engines.map((name, at) => [name, cells[at]?.trim() ?? ''])) }
  })
}

function leavesOf(shape: KeyShape, path = ''): string[] {
  return Object.entries(shape).flatMap(([key, inner]) => {
    const here = `${path}${path === '' ? '' : '.'}${key}`
    if (inner === null) return [here]
    return Array.isArray(inner)
      ? leavesOf(inner[0] as KeyShape, `${here}[]`)
      : leavesOf(inner as KeyShape, here)
  })
}

function submit(type: string, task: object): readonly string[] {
  return readSubmit({
    Job: {
      Type: 'batch',
      Tasks: [
        {
          Name: 'main',
          Engine: { Type: type, Params: PARAMS[type] },
          InputSources: [{ Source: { Type: 'inline', Params: { URL: 'data:,x' } }, Target: 'm.wasm' }],
          // A job that names none is told what it gets.
          ...(type === 'exec' ? { Network: { Type: 'Host' } } : {}),
          ...task,
        },
      ],
    },
  }).warnings
}

const rows = rowsOf(readFileSync(DOCUMENT, 'utf8'))

test('the table of what a job asks for has every key of a job, and nothing else', () => {
  const keys = [...new Set(rows.flatMap((row) => row.keys.map((key) => key.split(' ')[0] ?? '')))]
  expect(keys.sort()).toEqual(leavesOf(keysOf(jobSchema)).sort())
  for (const { cells } of rows) {
    expect(Object.keys(cells).every((engine) => engineKind(engine) !== undefined)).toBe(true)
    for (const cell of Object.values(cells)) expect(cell).toMatch(/^(honoured|reserved|refused)\b/)
  }
  const named = rows.flatMap((row) => row.keys.map((key) => key.replace(/^Tasks\[\]\./, '')))
  expect(Object.keys(ASKS).filter((key) => !named.includes(key))).toEqual([])
})

test.each(
  rows.flatMap(({ keys, cells }) =>
    keys.flatMap((key) => {
      const [name = ''] = key.replace(/^Tasks\[\]\./, '').split(' ')
      const task = ASKS[key.replace(/^Tasks\[\]\./, '')]
      if (task === undefined) return []
      return Object.entries(cells).map(([engine, cell]) => ({ engine, key, name, cell, task }))
    }),
  ),
)('$key of $engine is $cell', ({ engine, name, cell, task }) => {
  if (!cell.startsWith('refused')) {
    const warnings = submit(engine, task)
    expect(warnings.length > 0).toBe(cell.includes('a warning says') && !cell.includes('service'))
    return
  }
  const places = name.startsWith('Network.Ports')
    ? /Network\.(Ports|Type)/
    : new RegExp(name.replace('.', '\\.'))
  expect(() => submit(engine, task)).toThrow(places)
})

test('a client before 1.7 that sends None gets the network of the engine, and is told where that is another one', () => {
  const body = (type: string): object => ({
    Job: {
      Type: 'batch',
      Tasks: [
        { Name: 'main', Engine: { Type: type, Params: { Command: 'true' } }, Network: { Type: 'None' } },
      ],
    },
  })
  const Engine = { Type: 'docker', Params: { Image: 'a' } }
  const dockerBody = { Job: { Type: 'batch', Tasks: [{ Name: 'main', Engine, Network: { Type: 'None' } }] } }
  const old = { newNetworkTypes: false }
  const exec = readSubmit(body('exec'), undefined, old)
  expect(exec.definition.spec.Tasks[0]?.Network.Type).toBe('Default')
  expect(exec.warnings).toEqual([expect.stringContaining('Network.Type None')])
  // None was the network of containers there.
  const { definition } = readSubmit(dockerBody, undefined, old)
  expect(definition.spec.Tasks[0]?.Network.Type).toBe('None')
  const noop = readSubmit(body('noop'), undefined, old)
  expect(noop.definition.spec.Tasks[0]?.Network.Type).toBe('None')
  expect(readSubmit(body('exec')).definition.spec.Tasks[0]?.Network.Type).toBe('None')
})

test.each([{}, { Network: null }, { Network: { Type: 'default' } }])(
  'what gets the network of the host and does not say so is told: %j',
  (task) => {
    const warnings = readSubmit({
      Job: {
        Type: 'batch',
        Tasks: [{ Name: 'main', Engine: { Type: 'exec', Params: { Command: 'true' } }, ...task }],
      },
    }).warnings
    expect(warnings).toEqual([
      expect.stringMatching(/^Network\.Type .* has the network of the host; Host says so/),
    ])
    expect(submit('wasm', task)).toEqual([])
    expect(submit('noop', task)).toEqual([])
  },
)

test('a service is told that it has no limit of time for a run', () => {
  const job = {
    Type: 'service',
    Tasks: [{ Name: 'main', Engine: { Type: 'noop' }, Timeouts: { ExecutionTimeout: 5 } }],
  }
  expect(readSubmit({ Job: job }).warnings).toEqual([expect.stringContaining('Timeouts.ExecutionTimeout')])
  expect(readSubmit({ Job: { ...job, Type: 'batch' } }).warnings).toEqual([])
})
