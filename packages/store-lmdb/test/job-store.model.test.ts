import { join } from 'node:path'
import { type CommandSeed, runJobCommands } from '@saltcod/store-testing'
import fc from 'fast-check'
import { test } from 'vitest'
import { IS_LONG, testSeed } from '../../../test/seed.ts'
import { temporaryDirectory } from '../../../test/temporary-directory.ts'
import { openLmdbJobStore } from '../src/index.ts'

const SEQUENCES = IS_LONG ? 1_000 : 5
const COMMANDS = 300
const SEED = testSeed()

const command: fc.Arbitrary<CommandSeed> = fc.tuple(fc.nat(1_000), fc.nat(), fc.nat(), fc.nat())
const commands = fc.array(command, { minLength: COMMANDS, maxLength: COMMANDS, size: 'max' })

test(`${SEQUENCES * COMMANDS} random commands on a job store give what a model gives (seed ${SEED})`, {
  timeout: SEQUENCES * 30_000,
}, async () => {
  for (let sequence = 0; sequence < SEQUENCES; sequence += 1) {
    const [seeds = []] = fc.sample(commands, { seed: SEED + sequence, numRuns: 1 })
    await runJobCommands(async (clock, steadyClock) => {
      const options = { path: join(temporaryDirectory(), 'jobs.db'), clock, steadyClock }
      const reopen = () => openLmdbJobStore(options)
      return { store: await reopen(), reopen, dispose: async () => undefined }
    }, seeds)
  }
})
