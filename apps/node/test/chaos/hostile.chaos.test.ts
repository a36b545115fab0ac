import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../cli/binary.ts'
import { AttackedNode } from './attacked-node.ts'
import { gatedJob, noopJob } from './chaos-jobs.ts'
import { ATTACKS } from './hostile-client.ts'
import { randomNumbers } from './random-numbers.ts'

const SEED = Number(process.env['SALTCOD_SEED'] ?? Date.now() % 1_000_000)
const ROUNDS = 5
const AT_ONCE = 8

test(`whatever a client does to its connection, the node goes on (seed ${SEED})`, async () => {
  const directory = temporaryDirectory()
  const node = new AttackedNode(join(directory, 'repo'), ['--allow-exec'])
  await node.start()
  const jobId = await node.submit(gatedJob('waiting', 'none', join(directory, 'gate')))
  await node.until(jobId, 'Running')
  const port = Number(new URL(await node.url()).port)
  const random = randomNumbers(SEED)
  for (const [name, attack] of ATTACKS) {
    for (let round = 0; round < ROUNDS; round++) {
      await Promise.all(Array.from({ length: AT_ONCE }, () => attack({ port, jobId, random })))
    }
    expect((await node.request('GET', 'agent/alive')).status, `${name}, seed ${SEED}`).toBe(200)
  }
  await node.until(await node.submit(noopJob('batch', '', 0)), 'Completed')
  await node.request('DELETE', `orchestrator/jobs/${jobId}`)
  await node.until(jobId, 'Stopped')
  expect(node.log, `seed ${SEED}`).not.toMatch(/"level":(50|60)/)
  expect(await node.signal('SIGTERM')).toEqual({ code: 0, signal: null })
})
