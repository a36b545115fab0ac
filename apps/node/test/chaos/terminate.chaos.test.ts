import { randomUUID } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { eventually } from '../../../../test/eventually.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { AttackedNode } from './attacked-node.ts'
import { gatedJob, noopJob, stoppingJob, wasmJob } from './chaos-jobs.ts'
import { processesWith } from './job-processes.ts'
import { checkStores } from './stores-of.ts'

test('SIGTERM ends a node whose work takes longer than the grace period, and the next start finishes it', async () => {
  const directory = temporaryDirectory()
  const mark = randomUUID()
  const gate = join(directory, 'gate')
  const node = new AttackedNode(join(directory, 'repo'), ['--allow-exec'], { GracePeriod: '500ms' })
  await node.start()
  const ids = [
    await node.submit(gatedJob('native', mark, gate)),
    // As long as needed: nobody waits for all these passes.
    await node.submit(wasmJob('batch', 'counting', mark, 10_000_000)),
    await node.submit(noopJob('batch', 'nothing', 100_000_000)),
  ]
  for (const id of ids) await node.until(id, 'Running')
  await eventually('the processes of the jobs run', () => processesWith(mark).length >= 2)

  expect(await node.signal('SIGTERM'), node.log).toEqual({ code: 0, signal: null })
  expect(processesWith(mark)).toEqual([])
  await checkStores(node.repository)

  await node.start()
  const [native = '', ...endless] = ids
  writeFileSync(gate, '')
  const { Executions, History } = await node.until(native, 'Completed')
  const states = Executions?.Items.map(({ ComputeState }) => ComputeState.StateType).sort()
  expect(states, JSON.stringify(Executions)).toEqual([10, 9].sort())
  expect(History?.Items.some(({ Event }) => /interrupted|shut|stop/i.test(Event.Message))).toBe(true)
  for (const id of endless) {
    await node.until(id, 'Running')
    expect((await node.request('DELETE', `orchestrator/jobs/${id}`)).status).toBe(200)
    await node.until(id, 'Stopped')
  }
  await eventually('a stopped job leaves no process', () => processesWith(mark).length === 0)
  expect(await node.signal('SIGTERM')).toEqual({ code: 0, signal: null })
})

test('a job that stops its keeper can be stopped, and does not outlive its node', async () => {
  const directory = temporaryDirectory()
  const mark = randomUUID()
  const marks = join(directory, 'marks')
  writeFileSync(marks, '')
  const node = new AttackedNode(join(directory, 'repo'), ['--allow-exec'], {
    GracePeriod: '100ms',
    Engines: { Exec: { Isolate: false } },
  })
  await node.start()
  const first = await node.submit(stoppingJob('first', mark, marks))
  await eventually('the first has stopped its keeper', () => readFileSync(marks, 'utf8') === 'first\n')
  expect((await node.request('DELETE', `orchestrator/jobs/${first}`)).status).toBe(200)
  await eventually('the first is gone', () => processesWith(mark).length === 0)

  await node.submit(stoppingJob('second', mark, marks))
  await eventually('the second has stopped its keeper', () =>
    readFileSync(marks, 'utf8').endsWith('second\n'),
  )
  expect(await node.signal('SIGTERM'), node.log).toEqual({ code: 0, signal: null })
  expect(processesWith(mark)).toEqual([])
})

test('SIGTERM at any moment, again and again, loses nothing', { timeout: 300_000 }, async () => {
  const directory = temporaryDirectory()
  const node = new AttackedNode(join(directory, 'repo'), ['--allow-exec'], { GracePeriod: '1s' })
  const ids: string[] = []
  for (let round = 0; round < 5; round++) {
    await node.start()
    const submissions = Array.from({ length: 10 }, (_, number) =>
      node.submit(noopJob('batch', `job-${round}-${number}`, number * 50)),
    )
    const first = await submissions[round]
    const end = node.signal('SIGTERM')
    expect(first).toMatch(/^j-/)
    // A submission during the shutdown is taken, or refused, never half of both.
    for (const { status, value } of (await Promise.allSettled(submissions)).map((settled) =>
      settled.status === 'fulfilled' ? settled : { status: settled.status, value: '' },
    )) {
      if (status === 'fulfilled') ids.push(value)
    }
    expect(await end, node.log).toEqual({ code: 0, signal: null })
    await checkStores(node.repository)
  }
  await node.start()
  for (const id of ids) await node.until(id, 'Completed')
  expect(ids.length).toBeGreaterThanOrEqual(5)
})
