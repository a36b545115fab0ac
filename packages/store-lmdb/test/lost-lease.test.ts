import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../../../test/temporary-directory.ts'
import { openLmdbJobStore } from '../src/index.ts'

const WORKING = fileURLToPath(new URL('./working-process.mjs', import.meta.url))
const MOST_DEATHS = 20

async function runWorkers(path: string): Promise<string> {
  const child = spawn(process.execPath, [WORKING, path], { stdio: ['ignore', 'inherit', 'inherit'] })
  return await new Promise((resolve) => child.on('close', (code, signal) => resolve(signal ?? String(code))))
}

test('work that kills its process fails after its own losses, and innocent work beside it completes', async () => {
  const path = join(temporaryDirectory(), 'jobs.db')
  const store = await openLmdbJobStore({ path })
  for (let n = 0; n < 8; n++) {
    await store.submitJob({ id: `j-${n}`, type: 'batch', spec: { kills: n === 3 } })
  }
  await store.close()
  const ends: string[] = []
  do ends.push(await runWorkers(path))
  while (ends.at(-1) === 'SIGKILL' && ends.length < MOST_DEATHS)
  // Once beside the others, then three times alone.
  expect(ends).toEqual(['SIGKILL', 'SIGKILL', 'SIGKILL', 'SIGKILL', '0'])

  const after = await openLmdbJobStore({ path })
  for (let n = 0; n < 8; n++) {
    const job = await after.getJob(`j-${n}`)
    const [evaluation] = (await after.listEvaluations({ jobId: `j-${n}` })).items
    if (n === 3) {
      expect(job?.stateMessage).toContain('lease lost')
      expect(evaluation).toMatchObject({ status: 'failed', lostLeases: 3 })
    } else {
      expect(job?.state).toBe('Completed')
      expect(evaluation).toMatchObject({ status: 'complete', attempt: 1, lostLeases: 0 })
    }
  }
  expect((await after.check()).findings).toEqual([])
  await after.close()
})
