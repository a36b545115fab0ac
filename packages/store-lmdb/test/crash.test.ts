import { crashSuite } from '@saltcod/store-testing/crash'
import { describe, test, vi } from 'vitest'
import { IS_LONG, testSeed } from '../../../test/seed.ts'

if (IS_LONG) vi.setConfig({ testTimeout: 24 * 3_600_000 })

const BACKENDS = [
  ['lmdb', new URL('./crash-backend.mjs', import.meta.url)],
  ['lmdb, with commits made in a thread', new URL('./crash-thread-backend.mjs', import.meta.url)],
] as const

for (const [name, backend] of BACKENDS)
  crashSuite({
    name,
    backend,
    runner: { describe, test },
    seed: testSeed(),
    ...(IS_LONG ? { kills: 1_000, images: 20_000 } : { kills: 3, images: 15 }),
  })
