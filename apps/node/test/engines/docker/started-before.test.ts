import { writeFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../../../../../test/temporary-directory.ts'
import type { EngineOutcome } from '../../../src/compute/keeper/outcome.ts'
import { bootMs, noteContainer, notedContainer } from '../../../src/engines/docker/container-note.ts'
import { ContainerRun } from '../../../src/engines/docker/container-run.ts'
import { DiskWatch } from '../../../src/engines/docker/disk-watch.ts'
import type { EngineRun } from '../../../src/engines/engine.ts'
import { playedServer } from './played-server.ts'

const ID = 'a'.repeat(64)
const RUN = { executionId: 'e-1', attempt: 1 }
const MINUTE_MS = 60_000

interface Played {
  readonly startedAt: string
  /** As it is found. */
  readonly status: string
  /** It ends by itself when it is waited for, or else when it is stopped. */
  readonly endsByItself: boolean
}

/** Serves one container. */
function container({ startedAt, status: found, endsByItself }: Played): RequestListener {
  let status = found
  return ({ url = '', method }, answer) => {
    if (method === 'POST' && url.endsWith('/start')) status = 'running'
    if (url.endsWith('/wait') && !endsByItself) return
    if (url.endsWith('/wait') || url.includes('/stop')) status = 'exited'
    const State = { Status: status, Running: status === 'running', ExitCode: 7, StartedAt: startedAt }
    answer.end(url.endsWith('/json') ? JSON.stringify({ Id: ID, Config: { Labels: null }, State }) : '')
  }
}

async function outcomeOf(played: Played, workDir: string): Promise<EngineOutcome> {
  const api = await playedServer(container(played))
  const limits = { timeMs: MINUTE_MS, memoryBytes: null, logBytes: 1_000, outputBytes: 1_000 }
  const run = {
    ...RUN,
    work: { workDir },
    limits,
    task: { Resources: { CPU: '', Memory: '', Disk: '', GPU: '' } },
  } as unknown as EngineRun
  const prepare = { signal: new AbortController().signal }
  return await new ContainerRun({ api, run, prepare, graceMs: 1, diskWatch: new DiskWatch() }).go()
}

test.each(['2001-01-01T00:00:00Z', '2999-01-01T00:00:00Z', 'soon'])(
  'a clock that says that a container began at %s does not make it late',
  async (startedAt) => {
    const workDir = temporaryDirectory()
    const played = { startedAt, status: 'created', endsByItself: true }
    expect(await outcomeOf(played, workDir)).toMatchObject({ reason: 'exited', exitCode: 7 })
    expect(notedContainer(workDir, RUN)?.id).toBe(ID)
    // As the next start of the node has it, after the clock was set.
    const found = { startedAt, status: 'running', endsByItself: true }
    expect(await outcomeOf(found, workDir)).toMatchObject({ reason: 'exited', exitCode: 7 })
  },
)

test('the limit is counted on over a restart of the node, although the clock says that it has just begun', async () => {
  const workDir = temporaryDirectory()
  noteContainer(workDir, RUN, { id: ID, startedMs: bootMs() - MINUTE_MS })
  const played = { startedAt: new Date().toISOString(), status: 'running', endsByItself: false }
  expect(await outcomeOf(played, workDir)).toMatchObject({ reason: 'timeout' })
})

test.each(['', '{', '{"name":"saltcod-e-1-1","id":"../x","startedMs":1}', 'null', '[]'])(
  'a note that says %j is none',
  (text) => {
    const workDir = temporaryDirectory()
    writeFileSync(join(workDir, 'container.json'), text)
    expect(notedContainer(workDir, RUN)).toBeUndefined()
  },
)

test('a note says nothing of another attempt', () => {
  const workDir = temporaryDirectory()
  noteContainer(workDir, RUN, { id: ID, startedMs: 1 })
  expect(notedContainer(workDir, { ...RUN, attempt: 2 })).toBeUndefined()
})
