import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { eventually } from '../../../../../test/eventually.ts'
import { temporaryDirectory } from '../../../../../test/temporary-directory.ts'
import { ContainerRun } from '../../../src/engines/docker/container-run.ts'
import { DiskWatch } from '../../../src/engines/docker/disk-watch.ts'
import { type Ask, SocketApi } from '../../../src/engines/docker/socket-api.ts'
import type { EngineRun } from '../../../src/engines/engine.ts'
import { jobUntil, type Served, saltcod, serveNode } from '../../cli/binary.ts'
import { fileFlags } from '../../node-fixture.ts'
import { containerJob, script } from './container-job.ts'
import { containerServer, containersMissingOrShort, named } from './container-server.ts'

const missing = containersMissingOrShort()
const HOUR_MS = 3_600_000
/** Goes on when it is told to, by a file. */
const WAITS = 'while [ ! -e /tmp/go ]; do usleep 50000; done'

/** A server whose containers have been at work for an hour longer than they are. */
class EarlierApi extends SocketApi {
  override async ask<Answer>(what: Ask): Promise<Answer> {
    const answer = await super.ask<Answer & { State?: { StartedAt: string } }>(what)
    const { State } = answer ?? {}
    if (State === undefined) return answer
    const startedMs = Date.parse(State.StartedAt)
    return startedMs > 0
      ? { ...answer, State: { ...State, StartedAt: new Date(startedMs - HOUR_MS).toISOString() } }
      : answer
  }
}

async function submit({ url }: Served, job: object): Promise<string> {
  const answer = await fetch(`${url}/api/v1/orchestrator/jobs`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ Job: job }),
  })
  return ((await answer.json()) as { readonly JobID: string }).JobID
}

describe.runIf(missing === null)(named('what the next start of a node goes on with', missing), () => {
  const server = containerServer()

  const config = (more: object = {}): string[] =>
    fileFlags({ ...more, Engines: { Docker: { Socket: server().socket } } })

  const runningName = async (): Promise<string> => {
    const found = await eventually('its container runs', async () =>
      (await server().containers()).find(({ State }) => State === 'running'),
    )
    return found.Names[0]?.replace(/^\//, '') ?? ''
  }

  const isOver = async (): Promise<boolean> =>
    (await server().containers()).every(({ State }) => State === 'exited')

  /** How much of the log is kept. */
  const keptBytes = ({ directory }: Served): number => {
    const files = readdirSync(directory, { recursive: true }).map(String)
    const log = files.find((path) => /\/work\/[^/]+\/stdout$/.test(path))
    return log === undefined ? 0 : statSync(join(directory, log)).size
  }

  test('is at full speed and comes whole, whoever is killed', { timeout: 300_000 }, async () => {
    const repo = temporaryDirectory()
    let node = await serveNode(repo, config())
    const count = 150_000
    const id = await submit(node, containerJob(script(`seq 1 ${count}; ${WAITS}; seq 1 ${count}; echo end`)))
    const name = await runningName()
    for (const victims of ['node', 'server', 'both', 'node']) {
      const before = keptBytes(node)
      await eventually('more of its log is kept', () => keptBytes(node) > before)
      if (victims !== 'node') await server().kill()
      if (victims !== 'server') await node.end()
      if (victims !== 'node') await server().restart()
      if (victims !== 'server') node = await serveNode(repo, config())
      if (victims === 'both') server().podman('exec', name, 'touch', '/tmp/go')
    }
    await jobUntil(node.url, id, 'Completed')
    const { stdout } = await saltcod(['job', 'logs', id], { env: node.env })
    const half = Array.from({ length: count }, (_, at) => `${at + 1}\n`).join('')
    expect(stdout.length).toBe(2 * half.length + 4)
    expect(stdout === `${half}${half}end\n`).toBe(true)
  })

  test('says where its server has dropped lines while the node was dead', async () => {
    const repo = temporaryDirectory()
    const flags = config({ Quota: { OutputSize: '64kb' } })
    const node = await serveNode(repo, flags)
    const id = await submit(node, containerJob(script(`seq 1 1000; ${WAITS}; seq 1001 200000`)))
    const name = await runningName()
    await eventually('its log is kept', () => keptBytes(node) === 3_893)
    await node.end()
    server().podman('exec', name, 'touch', '/tmp/go')
    await eventually('it is over', isOver)
    const again = await serveNode(repo, flags)
    await jobUntil(again.url, id, 'Completed')
    const { stdout } = await saltcod(['job', 'logs', id], { env: again.env })
    const lines = stdout.trimEnd().split('\n')
    expect(lines.slice(0, 1_000)).toEqual(Array.from({ length: 1_000 }, (_, at) => `${at + 1}`))
    expect(lines[1_000]).toBe(
      '[saltcod: lines may be missing here, which the server of containers no longer had]',
    )
    const [first = 0, ...rest] = lines.slice(1_001, -2).map(Number)
    expect(first).toBeGreaterThan(1_001)
    expect(rest).toEqual(rest.map((_, at) => first + at + 1))
    expect(lines.at(-1)).toContain(
      '[saltcod: the log limit was reached or the disk was full, the rest was dropped]',
    )
  })

  test('was ended for its memory while the node was dead, and says so', async () => {
    const repo = temporaryDirectory()
    const node = await serveNode(repo, config())
    const eats = `${WAITS}; exec dd if=/dev/zero of=/dev/null bs=100M count=1`
    const id = await submit(node, containerJob(script(eats), { Resources: { Memory: '32mb' } }))
    const name = await runningName()
    await node.end()
    server().podman('exec', name, 'touch', '/tmp/go')
    await eventually('it is over', isOver)
    const again = await serveNode(repo, config())
    // It may be tried again, by the rules for jobs that fail.
    const history = `${again.url}/api/v1/orchestrator/jobs/${id}/history`
    await eventually('its history says so', async () =>
      /more memory than its limit of 32000000 bytes/.test(await (await fetch(history)).text()),
    )
  })

  test('is ended by its limit of time, which began with it and not with the node', async () => {
    const { socket, api } = server()
    const run: EngineRun = {
      executionId: 'e-late',
      attempt: 1,
      job: { id: 'j-1', namespace: 'default', type: 'batch' },
      task: { Resources: { CPU: '', Memory: '', Disk: '', GPU: '' } } as EngineRun['task'],
      work: { workDir: temporaryDirectory(), rootDir: '', inputs: [], results: [], release: () => undefined },
      limits: { timeMs: HOUR_MS, memoryBytes: null, cpus: null, outputBytes: 1e9, logBytes: 1e6 },
      environment: {},
    }
    const name = 'saltcod-e-late-1'
    const body = { Image: 'busybox:1', Cmd: ['sleep', '3600'], HostConfig: { NetworkMode: 'none' } }
    await api.ask({ method: 'POST', path: '/containers/create', query: { name }, body })
    await api.ask({ method: 'POST', path: `/containers/${name}/start` })
    const earlier = new EarlierApi(socket)
    const prepare = { signal: new AbortController().signal }
    const options = { api: earlier, run, prepare, graceMs: 0, diskWatch: new DiskWatch() }
    const container = new ContainerRun(options)
    expect(await container.go()).toMatchObject({
      reason: 'timeout',
      errorMessage: 'it ran longer than its limit of 1h',
    })
    await container.remove()
    earlier.close()
  })
})
