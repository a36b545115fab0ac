import assert from 'node:assert/strict'

import type { KvStore } from '@saltcod/store-core/backend'
import { KV_SUITE_TABLES, type KvFixture, kvSuite } from '@saltcod/store-testing'
import { describe, test } from 'vitest'

import { type Fault, NaiveKv } from './naive-kv.ts'

const openNaive = async (fault?: Fault): Promise<KvFixture> => {
  const disk = new Map(KV_SUITE_TABLES.map((table) => [table, new Map()]))
  const open = async (): Promise<KvStore> => new NaiveKv(disk, fault)
  return { kv: await open(), reopen: open, dispose: async () => undefined }
}

kvSuite({ name: 'naive', runner: { describe, test }, open: () => openNaive() })

/** What a store that checks nothing gets wrong. */
const UNCHECKED: readonly string[] = [
  'an unknown table, an empty key and what is not bytes are TypeErrors',
  'a limit is required, whole, and from 1 to the maximum',
  'an unknown key of a range, or of the options of a write, is refused with the nearest one',
  'two bounds on one side and bounds that are no keys are refused',
  'a call that threw dooms the request, even if the body swallowed the error',
  'a body that returns a promise or another thenable is refused and changes nothing',
  'a transaction and a snapshot are dead once their body has returned',
  'a body may put 2000 keys and not one more',
  'a body may remove 2000 keys and not one more',
  'puts and removes share the budget, and a key counts each time',
  'a body may put 8388608 bytes of keys and values and not one more',
  'a key longer than 1900 bytes is refused by every call',
  'a request that is too large harms none of its neighbours',
]

const RANDOM = 'random writes, refusals and reads give what a sorted list gives'
const COMBINATIONS = 'every combination of bounds, direction and limit gives what a sorted list gives'
const TURN = 'a failed request between two good ones of the same turn leaves only theirs'
const QUEUED = 'closing waits for the writes that are queued, background ones too'

/** For each mistake the cases that must find it. */
const CAUGHT_BY: Readonly<Record<Fault, readonly string[]>> = {
  'checks nothing': UNCHECKED,
  'keeps the changes of a failed body': [
    'a body that throws changes nothing, and its error comes back',
    'whatever a body throws is what comes back, even undefined',
    'a refused write is at no time seen',
    'what was removed, replaced or refused is so after opening again',
    'a background write that throws is refused and changes nothing',
    TURN,
    RANDOM,
  ],
  'undoes the whole turn with one failed body': [
    TURN,
    'among many writes of one turn only those that throw are undone',
    'a refusal that rests on an earlier write is delivered once that write can be read',
    RANDOM,
  ],
  'orders keys by length first': [
    'rows come in the byte order of their keys, whatever order they were put in',
    RANDOM,
  ],
  'orders bytes as signed numbers': [
    'rows come in the byte order of their keys, whatever order they were put in',
  ],
  'orders keys as UTF-8 text': [
    'rows come in the byte order of their keys, whatever order they were put in',
    RANDOM,
  ],
  'ignores reverse': [COMBINATIONS, 'going on from the last key pages through a table, in both directions'],
  'takes the limit before it reverses': [COMBINATIONS, RANDOM],
  'takes gt as gte': [COMBINATIONS, RANDOM],
  'takes lt as lte': [COMBINATIONS, RANDOM],
  'loses empty values': ['an empty value is a value', RANDOM],
  'keeps one table only': ['tables know nothing of each other', RANDOM],
  'keeps the memory it was given': ['memory that was passed in may be changed after the body'],
  'hands out its own memory': ['memory that was handed out may be changed'],
  'hides the changes of a body from its ranges': [
    'a range inside a body covers its own puts and removes',
    RANDOM,
  ],
  'writes at once': ['a write that is called inside a read body is not seen in it'],
  'writes the last call first': [
    'writes of several turns, and those called when others end, keep the order of their calls',
    'outcomes, refusals among them, are delivered in the order of the calls',
  ],
  'refuses before earlier writes are done': [
    'a refusal that rests on an earlier write is delivered once that write can be read',
    'outcomes, refusals among them, are delivered in the order of the calls',
  ],
  'commits table by table': [
    'a reader sees all of a write or nothing of it, and never an older state after a newer one',
  ],
  'runs a body again': ['a body runs once'],
  'forgets background writes': [
    'background writes wait for the foreground, and are carried out whole and in order',
    'background writes are carried out while the foreground writes on',
  ],
  'runs background writes first': [
    'background writes wait for the foreground, and are carried out whole and in order',
  ],
  'gives background writes all the time that they want': [
    'background writes have little more than a quarter of the time while the foreground writes on',
  ],
  'closes without waiting': [QUEUED, 'closing waits for more writes than one group takes'],
  'refuses to close twice': ['closing twice, at once or later, is fine'],
  'works on after close': [
    'a closed store refuses every call with STORE_CLOSED',
    'calls that come after close, while it waits, are refused with STORE_CLOSED',
  ],
  'throws where it should reject': ['a closed store refuses every call with STORE_CLOSED'],
  'settles failed at close': ['a store that met no failure does not settle `failed`'],
  'forgets everything at close': [
    'acknowledged writes are there after opening again, byte for byte and in order',
    'a store that is opened again writes on, time after time',
    RANDOM,
  ],
  'forgets what is queued at close': [
    'writes that were queued when the store was closed are there after opening again',
    QUEUED,
  ],
  'counts removed rows': ['statistics count the rows of every table, also of an empty one'],
  'allows nested calls': ['a body that calls write or read of its store is refused and changes nothing'],
}

describe('the suite finds the mistakes of a careless backend', () => {
  for (const [fault, names] of Object.entries(CAUGHT_BY) as [Fault, readonly string[]][]) {
    test(`one that ${fault}`, async () => {
      const cases = collect(fault)
      for (const name of names) {
        const run = cases.get(name)
        assert.ok(run !== undefined, `the suite has no test ${JSON.stringify(name)}`)
        const found = await run().then(
          () => false,
          () => true,
        )
        assert.ok(found, `not found by ${JSON.stringify(name)}`)
      }
    })
  }
})

describe('skips', () => {
  const register = (skips: readonly { test: string; reason: string }[]): Map<string, () => Promise<void>> =>
    collect(undefined, skips)

  test('a case that is skipped says why, and does not open a store', async () => {
    const reasons: string[] = []
    const cases = new Map<string, (context: { skip: (reason: string) => void }) => Promise<void>>()
    kvSuite({
      name: 'none',
      runner: { describe: (_, body) => body(), test: (name, body) => cases.set(name, body) },
      open: () => assert.fail('opened'),
      skips: [{ test: RANDOM, reason: 'it has no order' }],
    })
    await cases.get(RANDOM)?.({ skip: (reason) => reasons.push(reason) })
    assert.deepEqual(reasons, ['it has no order'])
  })

  test('a skip of a test that is not there, or without a reason, is refused', () => {
    assert.throws(() => register([{ test: 'no such test', reason: 'why' }]), TypeError)
    assert.throws(() => register([{ test: RANDOM, reason: '' }]), TypeError)
  })
})

/** Returns the cases of the suite by name, each on a store with a fault. */
function collect(
  fault: Fault | undefined,
  skips: readonly { test: string; reason: string }[] = [],
): Map<string, () => Promise<void>> {
  const cases = new Map<string, () => Promise<void>>()
  kvSuite({
    name: 'broken',
    runner: {
      describe: (_, body) => {
        body()
      },
      test: (name, body) => cases.set(name, () => body({})),
    },
    open: () => openNaive(fault),
    seed: 1,
    skips,
  })
  return cases
}
