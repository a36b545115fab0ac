import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import type { SuiteRunner } from '../kv/fixture.ts'
import { SeededRandom } from '../seeded-random.ts'
import { importCrashBackend } from './crash-backend.ts'
import type { CrashCase } from './crash-case.ts'
import { failingDiskCases } from './failing-disk-cases.ts'
import { killCases } from './kill-cases.ts'
import { powerCutCases } from './power-cut-cases.ts'

/** Options of {@link crashSuite}. */
export interface CrashSuiteOptions {
  /** Names the backend in the titles of the tests. */
  readonly name: string
  /** The module with the functions of a `CrashBackend`; processes import it too, so it is JavaScript. */
  readonly backend: URL
  readonly runner: SuiteRunner
  /** How often each process is killed. Default 15. */
  readonly kills?: number
  /** About so many images of a power cut are opened; `Infinity` for all. Default 60. */
  readonly images?: number
  /** Seed of what is drawn. Default: another one each time; the titles name it. */
  readonly seed?: number
}

const CONCERNS: Readonly<Record<string, readonly CrashCase[]>> = {
  kills: killCases,
  'a failing disk': failingDiskCases,
  'power cuts': powerCutCases,
}

/**
 * Registers the tests that every durable backend must pass: its process is killed, its disk fails, its power is cut.
 * They need Linux, and gcc for the last two; where there is none these are skipped, and say so.
 */
export function crashSuite(options: CrashSuiteOptions): void {
  const { name, backend: module, runner, kills = 15, images = 60 } = options
  const seed = options.seed ?? Math.floor(Math.random() * 2 ** 32)
  runner.describe(`${name}: crashes (seed ${seed})`, () => {
    for (const [concern, cases] of Object.entries(CONCERNS)) {
      runner.describe(concern, () => {
        for (const crashCase of cases) {
          runner.test(crashCase.name, async (context) => {
            const directory = mkdtempSync(join(tmpdir(), 'crash-suite-'))
            try {
              const backend = await importCrashBackend(module)
              const random = new SeededRandom(seed)
              const reason = await crashCase.run({ module, backend, directory, kills, images, random })
              if (typeof reason === 'string') context.skip?.(reason)
            } finally {
              rmSync(directory, { recursive: true, force: true })
            }
          })
        }
      })
    }
  })
}
