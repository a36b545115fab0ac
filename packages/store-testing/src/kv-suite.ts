import { capabilityCases } from './kv/capabilities.ts'
import { concurrencyCases } from './kv/concurrency.ts'
import { durabilityCases } from './kv/durability.ts'
import { type KvCase, type KvFixture, runKvCase, type SuiteRunner } from './kv/fixture.ts'
import { lifecycleCases } from './kv/lifecycle.ts'
import { limitCases } from './kv/limits.ts'
import { pointCases } from './kv/point.ts'
import { randomCases } from './kv/random.ts'
import { rangeCases } from './kv/range.ts'
import { snapshotCases } from './kv/snapshot.ts'
import { transactionCases } from './kv/transaction.ts'
import { troubleCases } from './kv/trouble.ts'

/** A case that a backend cannot pass, and why. */
export interface KvSuiteSkip {
  /** Name of the case, exactly. */
  readonly test: string
  readonly reason: string
}

/** Options of {@link kvSuite}. */
export interface KvSuiteOptions {
  /** Names the backend in the titles of the tests. */
  readonly name: string
  /** Opens an empty store with the tables `KV_SUITE_TABLES`; called once for each test. */
  readonly open: () => Promise<KvFixture>
  readonly runner: SuiteRunner
  /** Seed of the random commands. Default: another one each time; a failure names it. */
  readonly seed?: number
  /** Cases that a backend cannot pass. Its capabilities already decide about most; this is the rest. */
  readonly skips?: readonly KvSuiteSkip[]
}

const CONCERNS: Readonly<Record<string, readonly KvCase[]>> = {
  lifecycle: lifecycleCases,
  point: pointCases,
  range: rangeCases,
  transaction: transactionCases,
  snapshot: snapshotCases,
  concurrency: concurrencyCases,
  limits: limitCases,
  capabilities: capabilityCases,
  durability: durabilityCases,
  trouble: troubleCases,
  random: randomCases,
}

/**
 * Registers the tests that every backend of the key-value contract must pass. Throws a `TypeError` where
 * `skips` names a test that does not exist.
 */
export function kvSuite(options: KvSuiteOptions): void {
  const { name, open, runner, skips = [], seed = Math.floor(Math.random() * 2 ** 32) } = options
  refuseUnknownSkips(skips)
  runner.describe(`${name}: key-value contract`, () => {
    for (const [concern, cases] of Object.entries(CONCERNS)) {
      runner.describe(concern, () => {
        for (const kvCase of cases) {
          const skipped = skips.find(({ test }) => test === kvCase.name)
          runner.test(kvCase.name, async (context) => {
            const reason = skipped?.reason ?? (await runKvCase(kvCase, open, seed))
            if (reason !== undefined) context.skip?.(reason)
          })
        }
      })
    }
  })
}

function refuseUnknownSkips(skips: readonly KvSuiteSkip[]): void {
  const names = new Set(Object.values(CONCERNS).flatMap((cases) => cases.map(({ name }) => name)))
  for (const { test, reason } of skips) {
    if (!names.has(test)) throw new TypeError(`The suite has no test ${JSON.stringify(test)} to skip.`)
    if (reason.length === 0) throw new TypeError(`The skip of ${JSON.stringify(test)} gives no reason.`)
  }
}
