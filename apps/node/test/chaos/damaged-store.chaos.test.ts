import { join } from 'node:path'
import { expect, test } from 'vitest'
import { damageCases } from '../../../../test/damaged-file.ts'
import { IS_LONG, testSeed } from '../../../../test/seed.ts'
import { sharedDirectory } from '../../../../test/temporary-directory.ts'
import { DamagedNode, makeSoundNode, type SoundNode } from './damaged-node.ts'

const SEED = testSeed()
const JOBS = IS_LONG ? 60 : 30

const directory = sharedDirectory()
let sound: SoundNode
const ends = { refused: 0, failed: 0, served: 0 }

test('the stores that are damaged here are made by a node', { timeout: 120_000 }, async () => {
  sound = await makeSoundNode(join(directory, 'sound'), JOBS)
})

for (const one of damageCases(SEED, IS_LONG)) {
  const { damage, seed } = one
  const unseen = Math.floor(seed / 3) % 2 === 0
  const how = unseen ? ', unseen' : ''
  test(`a node with ${damage.what}${how} (seed ${seed}) serves what it has or says why not, and ends as documented`, {
    timeout: 300_000,
  }, async () => {
    const { end, broken } = await new DamagedNode(sound, join(directory, String(seed)), one, unseen).live()
    ends[end] += 1
    // A reporter shows the whole of a message, and little of a list.
    if (broken.length > 0) throw new Error(broken.join('\n'))
  })
}

test('some were served, and some refused', () => {
  process.stderr.write(`damaged stores of a node: ${JSON.stringify({ seed: SEED, ...ends })}\n`)
  if (IS_LONG) expect(Math.min(ends.refused, ends.served)).toBeGreaterThan(0)
})
