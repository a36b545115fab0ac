import { once } from 'node:events'
import { existsSync, mkdirSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { temporaryDirectory } from '../../../../../test/temporary-directory.ts'
import { bootId } from '../../../src/compute/keeper/process-table.ts'
import { LABELS } from '../../../src/engines/docker/container-name.ts'
import { notePlace } from '../../../src/engines/docker/container-place.ts'
import { inspect } from '../../../src/engines/docker/container-state.ts'
import { DockerEngine } from '../../../src/engines/docker/docker-engine.ts'
import { ServerFinder } from '../../../src/engines/docker/server.ts'
import { isUnanswered } from '../../../src/engines/docker/socket-api.ts'
import type { EngineRun } from '../../../src/engines/engine.ts'
import { playedServer } from './played-server.ts'

const RUNNING = JSON.stringify({
  State: { Status: 'running', Running: true },
  Config: { Labels: { [LABELS.boot]: bootId() } },
})

/** Serves at a socket what says that it is Docker or Podman; without a container, it knows none. */
async function serveAt(path: string, name: string, container?: string): Promise<Server> {
  const server = createServer(({ url }, answer) => {
    answer.setHeader('server', `${name}/1.2 (linux)`)
    if (url !== '/_ping') answer.statusCode = container === undefined ? 404 : 200
    answer.end(url === '/_ping' ? 'OK' : container)
  })
  server.listen(path)
  await once(server, 'listening')
  onTestFinished(() => end(server))
  return server
}

function end(server: Server): void {
  server.closeAllConnections()
  server.close()
}

/** The sockets of a user who has both. */
function socketsOf(runtimeDir: string): { readonly docker: string; readonly podman: string } {
  mkdirSync(join(runtimeDir, 'podman'))
  return { docker: join(runtimeDir, 'docker.sock'), podman: join(runtimeDir, 'podman', 'podman.sock') }
}

function engineOf(configured: string, runtimeDir: string): DockerEngine {
  return new DockerEngine({
    owner: { nodeId: 'n-1', dataDir: temporaryDirectory() },
    places: { configured, dockerHost: undefined, runtimeDir },
    pull: 'missing',
    stallMs: 1_000,
    imageRules: { keepForMs: 0, maxBytes: 0 },
    environment: {},
  })
}

function runIn(workDir: string): EngineRun {
  return { executionId: 'e-1', attempt: 1, work: { workDir }, limits: { logBytes: 1 } } as EngineRun
}

describe('where Podman answers beside Docker', () => {
  const isOfMachine = ['/var/run/docker.sock', '/run/podman/podman.sock'].some((path) => existsSync(path))

  test.skipIf(isOfMachine)('it does not take its place while that is restarted', async () => {
    const runtimeDir = temporaryDirectory()
    const { docker, podman } = socketsOf(runtimeDir)
    const first = await serveAt(docker, 'Docker')
    await serveAt(podman, 'Libpod')
    const finder = new ServerFinder({ configured: '', dockerHost: undefined, runtimeDir })
    expect(await finder.find()).toMatchObject({ name: 'Docker 1.2' })
    end(first)
    // An answer is fresh for a second.
    await delay(1_100)
    expect(await finder.find()).toContain(`${docker} does not answer`)
    expect(await finder.missing()).toBeNull()
    await serveAt(docker, 'Docker')
    await delay(1_100)
    expect(await finder.find()).toMatchObject({ name: 'Docker 1.2' })
    finder.close()
  })

  test('a container is gone where Docker says so that had it, and not where Podman does', async () => {
    const [runtimeDir, workDir] = [temporaryDirectory(), temporaryDirectory()]
    const { docker, podman } = socketsOf(runtimeDir)
    await serveAt(podman, 'Libpod')
    notePlace(workDir, docker)
    const looking = engineOf('', runtimeDir).standing.reattach(runIn(workDir), {
      signal: new AbortController().signal,
    })
    const ending = engineOf('', runtimeDir).standing.end({ ...runIn(workDir), workDir, logBytes: 1 })
    await expect(ending).rejects.toThrow(`${docker} does not answer`)
    await serveAt(docker, 'Docker', RUNNING)
    expect(await looking).not.toBeNull()
  })

  test('and where the operator has named Podman since, while nobody else answers, also there', async () => {
    const [runtimeDir, workDir] = [temporaryDirectory(), temporaryDirectory()]
    const { docker, podman } = socketsOf(runtimeDir)
    await serveAt(podman, 'Libpod')
    notePlace(workDir, docker)
    const options = { signal: new AbortController().signal }
    expect(await engineOf(podman, runtimeDir).standing.reattach(runIn(workDir), options)).toBeNull()
    await serveAt(docker, 'Docker', RUNNING)
    expect(await engineOf(podman, runtimeDir).standing.reattach(runIn(workDir), options)).not.toBeNull()
  })
})

test('what is to begin waits for a server that is not there, and says so', async () => {
  const runtimeDir = temporaryDirectory()
  const path = join(runtimeDir, 's')
  const stopped = new AbortController()
  const run = { ...runIn(runtimeDir), task: { Engine: { Params: { Image: 'a' } } } } as unknown as EngineRun
  let preparing: Promise<unknown> = Promise.resolve()
  const told = await new Promise<string>((tell) => {
    preparing = engineOf(path, runtimeDir).prepare(run, { signal: stopped.signal, tell })
    preparing.catch(() => undefined)
  })
  expect(told).toContain(`It waits for Docker or Podman: ${path} does not answer`)
  stopped.abort()
  await expect(preparing).rejects.toThrow('abort')
})

describe('of a container nothing is known', () => {
  test.each([
    ['an error', 500, '{"message":"no space left on device"}'],
    ['nothing', 200, ''],
    ['null', 200, 'null'],
    ['another thing', 200, '{}'],
    ['a page', 200, '<html>starting</html>'],
    ['half of it', 200, RUNNING.slice(0, 20)],
    ['a list', 200, `[${RUNNING}]`],
    ['no settings', 200, '{"State":{"Status":"running"},"Config":null}'],
    ['an end without its code', 200, '{"State":{"Status":"exited"},"Config":{}}'],
    ['an end with a code that is none', 200, '{"State":{"Status":"exited","ExitCode":-1e300},"Config":{}}'],
    ['somewhere else', 301, ''],
  ])('where its server answers %s', async (_, status, body) => {
    const api = await playedServer((_asked, answer) => void answer.writeHead(status).end(body))
    expect(isUnanswered(await inspect(api, 'c').catch((error: unknown) => error))).toBe(true)
  })
})

test('of a container is taken what can be true', async () => {
  const State = {
    Status: 'exited',
    Running: 'no',
    ExitCode: -1,
    Error: 7,
    OOMKilled: 1,
    StartedAt: 7,
    Pid: 'x',
  }
  const said = { Id: 7, Name: 7, Config: { Labels: { a: 'b', c: 7 } }, State }
  const api = await playedServer((_asked, answer) => void answer.end(JSON.stringify(said)))
  expect(await inspect(api, 'c')).toEqual({
    Id: '',
    Config: { Labels: { a: 'b' } },
    State: {
      Status: 'exited',
      Running: false,
      ExitCode: -1,
      Error: '',
      OOMKilled: false,
      StartedAt: '',
      Pid: 0,
    },
  })
})
