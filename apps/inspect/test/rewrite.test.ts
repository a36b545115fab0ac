import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { openLmdbJobStore } from '@saltcod/store-lmdb'
import { expect, onTestFinished, test } from 'vitest'
import { temporaryDirectory } from '../../../test/temporary-directory.ts'

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))
const ROUNDS = 3
const JOBS = 30

test('changes --follow tells each change once while the store is rewritten', {
  timeout: 120_000,
}, async () => {
  const directory = temporaryDirectory()
  const path = join(directory, 'jobs.db')
  const store = await openLmdbJobStore({ path, nodeId: 'n-1' })
  await store.submitJob({ id: 'first', type: 'batch', spec: {} })
  const follower = spawn(
    process.execPath,
    [main, 'changes', path, '--follow', '--since', '1d', '--output', 'ndjson'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  onTestFinished(async () => {
    follower.kill('SIGKILL')
    await store.close()
  })
  const told = new Map<string, number>()
  const lines = createInterface({ input: follower.stdout })
  lines.on('line', (line) => {
    const { kind, id } = JSON.parse(line) as { readonly kind: string; readonly id: string }
    if (kind === 'job') told.set(id, (told.get(id) ?? 0) + 1)
  })
  await once(lines, 'line')
  const submitted = ['first']
  for (let round = 0; round < ROUNDS; round += 1) {
    const rewrite = store.capabilities.rewrite?.()
    for (let n = 0; n < JOBS; n += 1) {
      const id = `job-${round}-${n}`
      await store.submitJob({ id, type: 'batch', spec: {} })
      submitted.push(id)
    }
    await rewrite
  }
  await store.submitJob({ id: 'last', type: 'batch', spec: {} })
  submitted.push('last')
  while (!told.has('last')) await once(lines, 'line')
  expect([...told.keys()].sort()).toEqual([...submitted].sort())
  expect([...told.values()].filter((times) => times !== 1)).toEqual([])
})
