import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { randomNumbers } from '../../../../test/random-numbers.ts'
import type { WireGetJobAnswer } from '../../src/wire/models.ts'
import { temporaryDirectory } from '../cli/binary.ts'
import { AttackedNode, waitFor } from './attacked-node.ts'
import { execJob, noopJob, wasmJob } from './chaos-jobs.ts'
import { processesWith } from './job-processes.ts'
import { checkStores } from './stores-of.ts'

const LONG = process.env['SALTCOD_LONG'] !== undefined
const KILLS = LONG ? 200 : 8
const SEED = Number(process.env['SALTCOD_SEED'] ?? Date.now() % 1_000_000)
const FAILED = 10
const COMPLETED = 9

test(`a node that is killed ${KILLS} times completes every job, and no run outlives it or doubles`, {
  timeout: LONG ? 3_600_000 : 400_000,
}, async () => {
  const random = randomNumbers(SEED)
  const directory = temporaryDirectory()
  const mark = randomUUID()
  const files = { marks: join(directory, 'marks'), lockPrefix: join(directory, 'lock') }
  const node = new AttackedNode(join(directory, 'repo'), ['--allow-exec'], {
    // Otherwise a job that is hit often would wait longer than the test.
    Recovery: { Interruptions: { Backoff: '50ms', MaxBackoff: '500ms' } },
  })
  const submitted = new Map<string, string>()
  const attempted = new Map<string, object>()
  const makeJob = (name: string): object => {
    const type = random() < 0.5 ? 'batch' : 'ops'
    const kind = random()
    if (kind < 0.5) return execJob(type, name, mark, files, Math.round(random() * 8) / 10)
    if (kind < 0.75) return wasmJob(type, name, mark, 1 + Math.floor(random() * 200))
    return noopJob(type, name, Math.floor(random() * 500))
  }
  const submit = async (name: string): Promise<void> => {
    const spec = attempted.get(name) ?? makeJob(name)
    attempted.set(name, spec)
    submitted.set(name, await node.submit(spec, name))
  }

  await node.start()
  const service = await node.submit(execJob('service', 'service', mark, files, 'for ever'))
  for (let round = 0; round < KILLS; round++) {
    const names = [0, 1, 2].map((number) => `job-${round}-${number}`)
    // The last one may be under way at the moment of the kill: then nobody knows whether it was taken.
    const underWay = Promise.allSettled(names.map(submit))
    if (random() < 0.7) await underWay
    await delay(random() * 900)
    await node.kill()
    await underWay
    // Jobs of exec carry the mark; those of wasm name the repository.
    const left = () => [...processesWith(mark), ...processesWith(node.repository)]
    await waitFor(`a process of a job outlives its node (seed ${SEED})`, () => left().length === 0)
    await checkStores(node.repository)
    if (random() < 0.25) {
      // A death in the middle of the start.
      node.spawn()
      await delay(random() * 600)
      await node.kill()
    }
    await node.start()
    await checkStores(node.repository)
    for (const name of names) if (!submitted.has(name)) await submit(name)
  }

  await node.until(service, 'Running')
  const stopped = await node.request('DELETE', `orchestrator/jobs/${service}?reason=enough`)
  expect(stopped.status).toBe(200)
  await node.until(service, 'Stopped')
  let interruptions = 0
  for (const [name, id] of submitted) {
    const answer = await node.until(id, 'Completed')
    interruptions += checkStory(answer, `${name} (seed ${SEED})`)
  }
  expect(submitted.size, `seed ${SEED}`).toBe(KILLS * 3)
  expect(interruptions, `some job was interrupted (seed ${SEED})`).toBeGreaterThan(0)
  checkMarks(files.marks, [...attempted.keys()])
  await waitFor(
    `processes are left: ${processesWith(mark).join('; ')}`,
    () => processesWith(mark).length === 0,
  )
  await checkStores(node.repository)
  expect(await node.signal('SIGTERM')).toEqual({ code: 0, signal: null })
})

/** Checks that a job completed exactly once and that its history tells each interruption. Returns their number. */
function checkStory({ Job, Executions, History }: WireGetJobAnswer, what: string): number {
  const executions = Executions?.Items ?? []
  const entries = History?.Items ?? []
  const ended = executions.map(({ ComputeState }) => ComputeState.StateType)
  expect(ended.filter((state) => state === COMPLETED).length, `${what} completed once`).toBe(1)
  const failed = executions.filter(({ ComputeState }) => ComputeState.StateType === FAILED)
  expect(failed.length, `${what}: ${JSON.stringify(ended)}`).toBe(executions.length - 1)
  for (const { ID, EndReason = '' } of failed) {
    expect(['interrupted', 'record-lost'], what).toContain(EndReason)
    const told = entries.filter(({ ExecutionID }) => ExecutionID === ID)
    expect(
      told.some(({ Event }) => Event.Details?.['reason'] === EndReason),
      `the history of ${what} tells why ${ID} failed: ${JSON.stringify(told)}`,
    ).toBe(true)
  }
  expect(entries[0]?.Event.Message, what).toBe('Job submitted')
  assert.deepEqual(entries.at(-1)?.JobState?.New, 'Completed', `${what} ${Job.State.Message}`)
  return failed.length
}

/** Checks what the native jobs wrote outside: none ran beside itself, and each came to its end. */
function checkMarks(path: string, names: readonly string[]): void {
  const lines = existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n') : []
  expect(lines.filter((line) => line.startsWith('overlap'))).toEqual([])
  const started = new Set(lines.filter((line) => line.startsWith('start ')).map((line) => line.slice(6)))
  const native = names.filter((name) => started.has(name))
  expect(native.length).toBeGreaterThan(0)
  for (const name of native) expect(lines, name).toContain(`end ${name}`)
}
