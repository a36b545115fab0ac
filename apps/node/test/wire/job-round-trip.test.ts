import assert from 'node:assert/strict'
import { type JobSpec, jobToWire, NEWEST_CLIENT } from '@saltcod/bacalhau-records'
import type { Job } from '@saltcod/store-core'
import fc from 'fast-check'
import { test } from 'vitest'
import { testSeed } from '../../../../test/seed.ts'
import type { SubmittedJob } from '../../src/wire/job-input.ts'
import { readSubmit } from '../../src/wire/job-input.ts'

const seed = testSeed()

function stored(input: SubmittedJob): Job<JobSpec> {
  return {
    ...input.definition,
    id: 'j-1',
    name: input.name ?? 'j-1',
    namespace: input.namespace,
    version: 1,
    revision: 1,
    state: 'Pending',
    stateMessage: '',
    stateSinceMs: 1,
    createdAtMs: 1_700_000_000_123,
    modifiedAtMs: 1_700_000_000_456,
    finishedAtMs: null,
    deadlineAtMs: null,
    submitKey: null,
    hold: null,
  }
}

const word = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/)
const map = fc.dictionary(word, fc.string({ maxLength: 8 }), { maxKeys: 3 })
const params = fc.dictionary(word, fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 })
/** Of kinds whose parameters are free. */
const config = (...types: readonly string[]) => fc.record({ Type: fc.constantFrom(...types), Params: params })
const source = config('ipfs', 's3', 'repoClone')

const job = fc.record({
  Name: word,
  Namespace: word,
  Type: fc.constantFrom('batch', 'ops', 'service', 'daemon'),
  Priority: fc.integer({ min: -100, max: 100 }),
  Meta: map,
  Labels: map,
  Tasks: fc.tuple(
    fc.record({
      Name: word,
      Engine: fc.record({ Type: fc.constant('docker'), Params: fc.record({ Image: fc.constant('a') }) }),
      Publisher: config('s3', 'ipfs', 'estuary'),
      Env: fc.dictionary(fc.stringMatching(/^[A-Z][A-Z0-9_]{0,6}$/), word, { maxKeys: 3 }),
      InputSources: fc.uniqueArray(
        fc.record({ Source: source, Alias: word, Target: word.map((name) => `/${name}`) }),
        {
          maxLength: 3,
          selector: ({ Alias, Target }) => `${Alias[0]}${Target[1]}`,
          comparator: (a, b) => a[0] === b[0] || a[1] === b[1],
        },
      ),
      Resources: fc.record({
        CPU: fc.constantFrom('100m', '2', '0.5'),
        Memory: fc.constantFrom('1gb', '64mi'),
      }),
      Network: fc.record({ Type: fc.constantFrom('None', 'Host', 'Bridge', 'Default', 'Full') }),
      Timeouts: fc.record({ ExecutionTimeout: fc.integer({ min: 1, max: 100 }) }),
    }),
  ),
})

test(`what is read and written again is the same job (seed ${seed})`, () => {
  fc.assert(
    fc.property(job, (made) => {
      // As it comes over the wire: without the prototypes that the generator plays with.
      const given = JSON.parse(JSON.stringify(made)) as typeof made
      const written = jobToWire(stored(readSubmit({ Job: given })), NEWEST_CLIENT, 'n-1')
      const again = jobToWire(
        stored(readSubmit(JSON.parse(JSON.stringify({ Job: { ...written, State: null } })))),
        NEWEST_CLIENT,
        'n-1',
      )
      assert.deepEqual(again, written)
      assert.deepEqual(written.Tasks[0]?.Engine, given.Tasks[0].Engine)
      assert.deepEqual(written.Tasks[0]?.Resources, given.Tasks[0].Resources)
      assert.deepEqual(written.Tasks[0]?.Network, given.Tasks[0].Network)
      assert.deepEqual(written.Tasks[0]?.Timeouts, given.Tasks[0].Timeouts)
      const Meta = Object.entries(written.Meta).filter(([key]) => !key.startsWith('bacalhau.org/'))
      assert.deepEqual([written.Labels, Meta], [given.Labels, Object.entries(given.Meta ?? {})])
    }),
    { numRuns: 200, seed },
  )
})

test('keys that JavaScript has other uses for are kept inside of parameters', () => {
  const params = JSON.parse('{"a":[{"__proto__":null,"constructor":1}],"b":{"__proto__":{"c":2}}}')
  const { definition } = readSubmit({
    Job: {
      Name: 'a',
      Type: 'batch',
      Count: 1,
      Tasks: [
        {
          Name: 'a',
          Engine: { Type: 'noop', Params: {} },
          Publisher: { Type: 's3', Params: params },
        },
      ],
    },
  })
  assert.equal(JSON.stringify(definition.spec.Tasks[0]?.Publisher.Params), JSON.stringify(params))
})

test('a job that is nested too deep is refused, however deep', () => {
  for (const depth of [200, 200_000]) {
    const deep = JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`)
    const engine = { Type: 'docker', Params: { deep } }
    const given = { Job: { Name: 'a', Type: 'batch', Count: 1, Tasks: [{ Name: 'a', Engine: engine }] } }
    assert.throws(() => readSubmit(given), { name: 'ApiError', message: /nested more than 100 deep/ })
  }
})

test(`no body whatever makes the reader throw anything but a refusal (seed ${seed})`, () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (body, inner) => {
      for (const given of [body, { Job: body }, { job: { tasks: [inner], type: 'batch' } }]) {
        try {
          readSubmit(given)
        } catch (error) {
          assert.equal((error as Error).name, 'ApiError')
        }
      }
    }),
    { numRuns: 300, seed },
  )
})

test('times are whole nanoseconds', () => {
  const wire = jobToWire(
    stored(readSubmit({ Job: { Type: 'batch', Tasks: [{ Name: 'a', Engine: { Type: 'noop' } }] } })),
    NEWEST_CLIENT,
    'n-1',
  )
  assert.match(JSON.stringify(wire), /"CreateTime":1700000000123000000,"ModifyTime":1700000000456000000/)
})

test('a count is one where a batch job says nothing, and none where every node is meant', () => {
  const task = { Name: 'a', Engine: { Type: 'noop' } }
  const count = (fields: object): number => readSubmit({ Job: { Tasks: [task], ...fields } }).definition.count
  assert.deepEqual(
    [
      { Type: 'batch' },
      { Type: 'batch', Count: 0 },
      { Type: 'service', Count: 3 },
      { Type: 'ops' },
      { Type: 'daemon', Count: 1 },
    ].map(count),
    [1, 0, 3, 0, 0],
  )
})

test('amounts that make sense and are hardly meant are told', () => {
  const warningsOf = (job: object, resources: object = {}): readonly string[] => {
    const Tasks = [{ Name: 'a', Engine: { Type: 'noop' }, Resources: resources }]
    return readSubmit({ Job: { Type: 'batch', Tasks, ...job } }).warnings
  }
  assert.deepEqual(warningsOf({ Count: 0 }), [
    'Count is 0, so nothing of the job runs; without a Count a batch job runs once',
  ])
  assert.deepEqual(warningsOf({ Type: 'ops', Count: 0 }), [])
  assert.deepEqual(warningsOf({}, { Memory: 512, Disk: '10', CPU: 1 }), [
    'Resources.Memory 512 is 512 bytes; write 512mb where megabytes are meant',
    'Resources.Disk 10 is 10 bytes; write 10mb where megabytes are meant',
  ])
  assert.deepEqual(warningsOf({}, { Memory: '512mb', Disk: '1000000' }), [])
})
