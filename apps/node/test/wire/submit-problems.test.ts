import { expect, test } from 'vitest'
import { isApiError } from '../../src/wire/api-error.ts'
import { readSubmit } from '../../src/wire/job-input.ts'

function linesOf(body: unknown): readonly string[] {
  try {
    readSubmit(body)
    return []
  } catch (error) {
    if (!isApiError(error)) throw error
    return error.message.split('\n')
  }
}

const noop = { Type: 'noop' }

test('a wrong form, what makes no sense and wrong parameters are told at once, in the order of the file', () => {
  const job = {
    count: 'two',
    Type: 'cron',
    tasks: [
      {
        name: 'main',
        timeouts: { QueueTimeout: 5 },
        InputSources: [{ Source: { Type: 'inline', Params: { URL: 'http://x' } }, Target: '' }],
        env: { lower: 'x', NUMBER: 5 },
        Engine: { Type: 'exec', Params: { Arguments: 5 } },
        Resources: { CPU: 'much' },
        Nome: 'x',
      },
    ],
    Labels: { a: 1 },
  }
  expect(linesOf({ Job: job })).toEqual([
    'Job.Count must be a whole number',
    'invalid job type: "cron" (it is one of batch, ops, service, daemon)',
    'Job.Tasks[0].InputSources[0].Source.Params.URL must begin with "data:"',
    'task main validation failed: input source is missing a target',
    expect.stringMatching(/environment variable "lower" must be upper case/),
    'Job.Tasks[0].Env.NUMBER must be a text',
    'Job.Tasks[0].Engine.Params.Arguments must be a list of texts',
    'Job.Tasks[0].Engine.Params.Command is missing; give the name or the path of a program',
    expect.stringMatching(/invalid CPU "much"/),
    'Job.Labels.a must be a text',
    'unknown key Tasks[0].Nome is ignored; did you mean Name?',
  ])
})

test('half of a surrogate pair is refused wherever it stands, with its place', () => {
  const job = { Type: 'batch', Tasks: [{ Name: 'main', Engine: noop, Env: { A: 'x\ud800' } }] }
  const problem = 'has half of a surrogate pair, which is no character'
  expect(linesOf({ Job: job })).toEqual([`the text at "Job.Tasks[0].Env.A" ${problem}`])
  const keyed = { Type: 'batch', Meta: { '\udc00': 'x' } }
  expect(linesOf({ Job: keyed })).toEqual([`the text at "Job.Meta.\\udc00" ${problem}`])
  expect(linesOf({ Job: { ...job, Tasks: [{ Name: '😀', Engine: noop }] } })).toEqual([])
})

test('a part of a wrong form brings nothing about that is said of its absence', () => {
  const task = { Name: 7, Engine: 5, Network: { Type: 9, Domains: ['a.example'] } }
  expect(linesOf({ Job: { Type: 7, Tasks: [task] } })).toEqual([
    'Job.Type must be a text',
    'Job.Tasks[0].Name must be a text',
    'Job.Tasks[0].Engine must be an object',
    expect.stringMatching(/^Job\.Tasks\[0\]\.Network\.Type must be one of /),
  ])
  expect(linesOf({ Job: { Type: 'batch', Count: -1, Tasks: 'none' } })).toEqual([
    'job count must be >= 0',
    'Job.Tasks must be a list',
  ])
})

test('an item of a wrong form hides none of the others, which keep their numbers', () => {
  const constraints = [5, { Key: 'a', Operator: 'gt', Values: [7] }, { Key: '', Operator: '=' }]
  const task = { Name: 'main', Engine: noop, ResultPaths: ['x', { Name: 'out', Path: 'relative' }] }
  expect(linesOf({ Job: { Type: 'batch', Constraints: constraints, Tasks: [task] } })).toEqual([
    'Job.Constraints[0] must be an object',
    'Job.Constraints[1].Values[0] must be a text',
    'constraint 3 validation failed: missing key',
    'Job.Tasks[0].ResultPaths[0] must be an object',
    'task main validation failed: result path "relative" must be absolute',
  ])
  expect(linesOf({ Job: { Type: 'batch', Tasks: [5] } })).toEqual(['Job.Tasks[0] must be an object'])
})

test('what is missing twice is told twice, and is no duplicate', () => {
  const input = { Source: { Type: 'inline', Params: { URL: 'data:,x' } } }
  const task = { Name: 'main', Engine: noop, InputSources: [input, input] }
  expect(linesOf({ Job: { Type: 'batch', Tasks: [task] } })).toEqual([
    'task main validation failed: input source is missing a target',
    'task main validation failed: input source is missing a target',
  ])
})

test('keys that all objects inherit are parts like any other', () => {
  const job = JSON.parse(
    '{"Type": "batch", "Labels": {"__proto__": 5, "constructor": 6}, "Tasks": [{"Name": "", "Engine": {"Type": "noop"}}]}',
  ) as object
  expect(linesOf({ Job: job })).toEqual([
    'Job.Labels.__proto__ must be a text',
    'Job.Labels.constructor must be a text',
    'task validation failed: missing task name',
  ])
  expect(Object.hasOwn(Object.prototype, 'StateType')).toBe(false)
})

test('a key of another format, of another engine, or one level too high is told with what may be meant', () => {
  const task = {
    Name: 'main',
    Engine: { Type: 'exec', Params: { Command: 'echo', Parameters: ['hi'], Entrypoint: [] }, Image: 'x' },
    Network: { Type: 'Host' },
    Inputs: [],
    outputs: [],
    Environment: {},
    InputSources: [{ Source: { Type: 'local', Params: { SourcePath: '/a' }, Key: 'c' }, Target: '/d' }],
  }
  const { warnings } = readSubmit({ Job: { Type: 'batch', Timeout: 5, Engine: {}, Tasks: [task] } })
  expect(warnings.map((line) => line.replace(/^unknown key (.*) is ignored/, '$1'))).toEqual([
    'Timeout; did you mean Tasks[0].Timeouts?',
    'Engine; did you mean Tasks[0].Engine?',
    'Tasks[0].Engine.Image; did you mean Params.Image?',
    'Tasks[0].Inputs; did you mean InputSources?',
    'Tasks[0].outputs; did you mean ResultPaths?',
    'Tasks[0].Environment; did you mean Env?',
    'Tasks[0].InputSources[0].Source.Key; did you mean Params.Key?',
    'Tasks[0].Engine.Params.Parameters; did you mean Arguments?',
    'Tasks[0].Engine.Params.Entrypoint; did you mean Command?',
  ])
})

test('names that objects have anyway are keys that nothing reads, like any other', () => {
  const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty']
  const odd: unknown = JSON.parse(`{${names.map((name) => `${JSON.stringify(name)}:[]`).join()}}`)
  const task = { Name: 'main', Engine: { Type: 'exec', Params: { Command: 'ls', ...(odd as object) } } }
  for (const body of [
    odd,
    { Job: odd },
    { Job: { Type: 'batch', Tasks: [{ ...task, Engine: odd }] } },
    { Job: { Type: 'batch', Tasks: [odd] } },
  ]) {
    expect(linesOf(body).length).toBeGreaterThan(0)
  }
})
