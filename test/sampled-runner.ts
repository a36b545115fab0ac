import { describe, test } from 'vitest'
import type { SuiteRunner } from '../packages/store-testing/src/index.ts'
import { IS_LONG } from './seed.ts'

/**
 * Returns what registers one case in so many of each concern of a suite in a short run, the first one of each too, and
 * all of them in a long one. For what other files run whole on something like it.
 */
export function oneIn(every: number): SuiteRunner {
  let number = 0
  return {
    describe: (name, body) => {
      describe(name, () => {
        number = 0
        body()
      })
    },
    test: (name, body) => {
      if (IS_LONG || number % every === 0) test(name, body)
      number += 1
    },
  }
}
