import { AssertionError } from 'node:assert'
import { crashSuite } from '@saltcod/store-testing/crash'
import { expect, test } from 'vitest'
import { testSeed } from '../../../test/seed.ts'

type CrashTest = (context: { skip?: (reason: string) => void }) => unknown

/** The tests of the suite for a backend that acknowledges before a commit is on disk, by their titles. */
function testsOfEarly(): ReadonlyMap<string, CrashTest> {
  const tests = new Map<string, CrashTest>()
  crashSuite({
    name: 'early',
    backend: new URL('./early-backend.mjs', import.meta.url),
    runner: {
      describe: (_, register) => register(),
      test: (title, run) => {
        tests.set(title, run)
      },
    },
    seed: testSeed(),
    kills: 100,
    images: 100,
  })
  return tests
}

const TESTS = testsOfEarly()

test.for([
  'after each kill every acknowledged write is there, and no part of a refused one',
  'a power cut at any moment leaves a store with all that was acknowledged, and nothing in part',
])('a store that acknowledges too early does not pass: %s', { timeout: 120_000 }, async (title, { skip }) => {
  let reason: string | undefined
  const run = async (): Promise<unknown> =>
    TESTS.get(title)?.({
      skip: (why) => {
        reason = why
      },
    })
  const error: unknown = await run().then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (reason !== undefined) skip(reason)
  else expect(lostBy(error).length).toBeGreaterThan(0)
})

/** What a failed case found lost. */
function lostBy(error: unknown): readonly unknown[] {
  if (error instanceof AssertionError) return (error.actual as { lost: unknown[] }).lost
  if (error instanceof Error) return lostBy(error.cause)
  throw new Error(`the case did not fail: ${String(error)}`)
}
