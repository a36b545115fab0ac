import type { DurableStore } from '@saltcod/store-core'
import type { Clock } from '@saltcod/store-core/backend'
import type { SuiteRunner } from '../kv/fixture.ts'
import { SettableClock } from './settable-clock.ts'

/** One empty store for one test, and what else the suite may ask about it. */
export interface StoreFixture<Store> {
  /** An empty store, opened with the clocks that were handed to `open` and otherwise with the defaults. */
  readonly store: Store
  /** Opens the same data again, after the suite closed it. A durable backend must give it. */
  readonly reopen?: () => Promise<Store>
  /** Opens the same data for reading only, beside the owner; absent where there is no such mode. */
  readonly openReader?: () => Promise<Store>
  /** Removes what is on disk. The suite has closed every store before. */
  readonly dispose: () => Promise<void>
}

/** Options of the suites of the two store contracts. */
export interface StoreSuiteOptions<Store> {
  /** Names the backend in the titles of the tests. */
  readonly name: string
  /** Opens an empty store that reads these clocks; called once for each test. */
  readonly open: (clock: Clock, steadyClock: Clock) => Promise<StoreFixture<Store>>
  readonly runner: SuiteRunner
  /**
   * Set where the fixture opens the store anew in the course of a test, which makes every lease void: cases that need
   * a single opening are then passed over. Default false.
   */
  readonly opensAnew?: boolean
  /**
   * Set where the backend also runs the suite in a plainer way: cases about large amounts are then passed over here.
   * Default false.
   */
  readonly small?: boolean
}

/** What one case works with. */
export interface StoreCaseContext<Store> {
  readonly store: Store
  readonly clock: SettableClock
  readonly fixture: StoreFixture<Store>
  /** Opens another empty store that is disposed of with the first. */
  readonly openAnother: () => Promise<Store>
  /** Closes the store that is open, opens the data again and returns that. */
  readonly reopen: () => Promise<Store>
  /** Opens a reader beside the owner. */
  readonly openReader: () => Promise<Store>
}

/** One case of a suite. */
export interface StoreCase<Store> {
  readonly name: string
  /** What the fixture must be able to do; the case is passed over where it cannot. */
  readonly needs?: 'reopen' | 'reader' | 'single opening'
  /** Set for a case about large amounts, which takes seconds. */
  readonly large?: true
  readonly run: (context: StoreCaseContext<Store>) => Promise<void>
}

/** Cases by concern. */
export type StoreCases<Store> = Readonly<Record<string, readonly StoreCase<Store>[]>>

/** Registers cases with a runner; `assertSound` looks at the store after each of them. */
export function runStoreSuite<Store extends DurableStore>(
  title: string,
  concerns: StoreCases<Store>,
  assertSound: (store: Store) => Promise<void>,
  options: StoreSuiteOptions<Store>,
): void {
  const { name, runner } = options
  runner.describe(`${name}: ${title}`, () => {
    for (const [concern, cases] of Object.entries(concerns)) {
      runner.describe(concern, () => {
        for (const storeCase of cases) {
          runner.test(storeCase.name, async (context) => {
            const reason = await runStoreCase(storeCase, assertSound, options)
            if (reason !== undefined) context.skip?.(reason)
          })
        }
      })
    }
  })
}

/** Runs one case on a store of its own. Returns a reason to skip, if any. */
async function runStoreCase<Store extends DurableStore>(
  storeCase: StoreCase<Store>,
  assertSound: (store: Store) => Promise<void>,
  options: StoreSuiteOptions<Store>,
): Promise<string | undefined> {
  if (storeCase.needs === 'single opening' && options.opensAnew === true)
    return 'leases do not outlive an opening'
  if (storeCase.large === true && options.small === true) return 'large amounts are tested in a plainer way'
  const clock = new SettableClock()
  const fixtures = [await options.open(clock.read, clock.passed)]
  const opened: Store[] = fixtures.map(({ store }) => store)
  const adopt = (store: Store): Store => {
    opened.push(store)
    return store
  }
  try {
    const [fixture] = fixtures as [StoreFixture<Store>]
    const reason = reasonToSkip(storeCase, fixture)
    if (reason !== undefined) return reason
    let current = fixture.store
    await storeCase.run({
      store: fixture.store,
      clock,
      fixture,
      openAnother: async () => {
        const another = await options.open(clock.read, clock.passed)
        fixtures.push(another)
        return adopt(another.store)
      },
      reopen: async () => {
        await current.close()
        current = adopt(await required(fixture.reopen)())
        return current
      },
      openReader: async () => adopt(await required(fixture.openReader)()),
    })
    await assertSound(current)
    return undefined
  } finally {
    for (const store of opened) await store.close()
    for (const each of fixtures) await each.dispose()
  }
}

function reasonToSkip<Store extends DurableStore>(
  { needs }: StoreCase<Store>,
  { store, reopen, openReader }: StoreFixture<Store>,
): string | undefined {
  if (needs === 'reader' && openReader === undefined) return 'the backend has no readers'
  if (needs !== 'reopen' || reopen !== undefined) return undefined
  if (store.capabilities.durable) throw new TypeError('A durable backend must give the suite `reopen`.')
  return 'the backend is not durable'
}

function required<T>(given: T | undefined): T {
  if (given === undefined) throw new TypeError('The case does not say what it needs.')
  return given
}
