import { openMemoryExecutionStore } from '@saltcod/store-memory'
import { expect, test } from 'vitest'
import { until } from '../../../../test/eventually.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { type Headroom, readHeadroom } from '../../src/compute/headroom.ts'
import { Pressure } from '../../src/compute/pressure.ts'
import { jobOf, startComputeSide } from './fixture.ts'
import { TestRequester } from './test-requester.ts'

const PLENTY: Headroom = { memoryBytes: 1e12, diskBytes: 1e12, processes: 1e6, files: 1e6 }
const LEAST: Headroom = {
  memoryBytes: 100 * 1024 ** 2,
  diskBytes: 20 * 1024 ** 2,
  processes: 500,
  files: 1_000,
}

function pressureOn(first: Headroom): {
  pressure: Pressure
  now: { ms: number; has: Headroom; looks: number }
} {
  const now = { ms: 0, has: first, looks: 0 }
  const look = (): Headroom => {
    now.looks += 1
    return now.has
  }
  return { pressure: new Pressure(LEAST, look, () => now.ms), now }
}

test('this machine says what it has left', () => {
  const { memoryBytes, diskBytes, processes, files } = readHeadroom(temporaryDirectory())
  for (const amount of [memoryBytes, diskBytes, processes, files]) expect(amount).toBeGreaterThan(0)
})

test.each([
  [
    'memoryBytes',
    99 * 1024 ** 2,
    'the machine has 99 MiB of memory left, and 100 MiB of memory are kept free',
  ],
  ['diskBytes', 0, 'the machine has 0 MiB of disk left, and 20 MiB of disk are kept free'],
  ['processes', 499, 'the machine has 499 processes left, and 500 processes are kept free'],
  ['files', 12, 'the machine has 12 open files left, and 1000 open files are kept free'],
] as const)('too few %s hold runs back', (kind, amount, reason) => {
  expect(pressureOn({ ...PLENTY, [kind]: amount }).pressure.holding()).toBe(reason)
})

test('once held, runs go on when there is a quarter more than the threshold', () => {
  const { pressure, now } = pressureOn({ ...PLENTY, processes: 499 })
  expect(pressure.holding()).toBeDefined()
  for (const [processes, held] of [
    [510, true],
    [624, true],
    [625, false],
    [510, false],
    [499, true],
  ] as const) {
    now.has = { ...PLENTY, processes }
    now.ms += 1_000
    expect(pressure.holding() !== undefined, String(processes)).toBe(held)
  }
})

test('the machine is looked at now and then, and after a number of starts', () => {
  const { pressure, now } = pressureOn(PLENTY)
  for (let start = 0; start < 32; start += 1) pressure.holding()
  expect(now.looks).toBe(1)
  pressure.holding()
  expect(now.looks).toBe(2)
  now.ms += 1_000
  pressure.holding()
  expect(now.looks).toBe(3)
})

test('a run that the machine holds back says so in its history, once', async () => {
  const store = await openMemoryExecutionStore()
  const link = new TestRequester()
  const leastFree = { memoryBytes: 1e15, diskBytes: 0, processes: 0, files: 0 }
  const side = await startComputeSide({ store, link, dataDir: temporaryDirectory(), settings: { leastFree } })
  link.ask('e-1', jobOf('noop', { DurationMs: 0 }), { approved: true })
  const { state, events } = await until(
    () => link.known('e-1'),
    (known) => known.events.some(({ topic }) => topic === 'Queueing'),
  )
  expect(state).toBe('BidAccepted')
  expect(events.at(-1)?.message).toMatch(
    /^It waits on its node: the machine has \d+ MiB of memory left, and 953674316 MiB of memory are kept free$/,
  )
  link.ask('e-2', jobOf('noop', { DurationMs: 0 }), { approved: true })
  await until(
    () => side.load().heldBack,
    (held) => held === 2,
  )
  const again = link.known('e-1').events.filter(({ topic }) => topic === 'Queueing')
  expect(again).toHaveLength(1)
})
