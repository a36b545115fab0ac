import { join } from 'node:path'
import { type CommandSeed, runExecutionCommands } from '@saltcod/store-testing'
import fc from 'fast-check'
import { test } from 'vitest'
import { IS_LONG, testSeed } from '../../../test/seed.ts'
import { temporaryDirectory } from '../../../test/temporary-directory.ts'
import { openLmdbExecutionStore } from '../src/index.ts'

const SEQUENCES = IS_LONG ? 1_000 : 4
const COMMANDS = 300
const SEED = testSeed()

const command: fc.Arbitrary<CommandSeed> = fc.tuple(fc.nat(1_000), fc.nat(), fc.nat(), fc.nat())
const commands = fc.array(command, { minLength: COMMANDS, maxLength: COMMANDS, size: 'max' })

test(`${SEQUENCES * COMMANDS} random commands on an execution store give what a model gives (seed ${SEED})`, {
  timeout: SEQUENCES * 30_000,
}, async () => {
  for (let sequence = 0; sequence < SEQUENCES; sequence += 1) {
    const [seeds = []] = fc.sample(commands, { seed: SEED + sequence, numRuns: 1 })
    await runExecutionCommands(async (clock) => {
      const options = { path: join(temporaryDirectory(), 'executions.db'), clock }
      const reopen = () => openLmdbExecutionStore(options)
      return { store: await reopen(), reopen, dispose: async () => undefined }
    }, seeds)
  }
})
