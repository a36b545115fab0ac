import { crashSuite } from '@saltcod/store-testing/crash'
import { describe, test, vi } from 'vitest'

const LONG = process.env['SALTCOD_LONG'] !== undefined

if (LONG) vi.setConfig({ testTimeout: 24 * 3_600_000 })

const BACKENDS = [
  ['lmdb', './crash-backend.mjs'],
  ['lmdb, with commits made in a thread', './crash-thread-backend.mjs'],
] as const

for (const [name, backend] of BACKENDS)
  crashSuite({
    name,
    backend: new URL(backend, import.meta.url),
    runner: { describe, test },
    ...(LONG ? { kills: 1_000, images: 20_000 } : { kills: 8, images: 40 }),
  })
