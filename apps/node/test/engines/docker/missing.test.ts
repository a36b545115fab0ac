import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { temporaryDirectory } from '../../../../../test/temporary-directory.ts'
import { DockerEngine } from '../../../src/engines/docker/docker-engine.ts'
import { saltcod, serveNode } from '../../cli/binary.ts'
import { fileFlags, startTestNode } from '../../node-fixture.ts'

const REMEDY = 'start Docker or Podman there, or name another socket by Engines.Docker.Socket'

/** Serves one answer at a socket to whoever connects, and another one to the first; null: none. */
async function answering(answer: string | null, first: string | null = answer): Promise<string> {
  const path = join(temporaryDirectory(), 's')
  let next = first
  const server: Server = createServer((connection) => {
    connection.on('error', () => undefined)
    connection.once('data', () => {
      if (next !== null) connection.end(next)
      next = answer
    })
  })
  server.listen(path)
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return path
}

function http(status: string, body: string): string {
  return `HTTP/1.1 ${status}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`
}

function engineAt(socket: string, dockerHost?: string): DockerEngine {
  return new DockerEngine({
    owner: { nodeId: 'n-1', dataDir: '/nowhere' },
    places: { configured: socket, dockerHost, runtimeDir: undefined },
    pull: 'missing',
    stallMs: 1_000,
    imageRules: { keepForMs: 0, maxBytes: 0 },
    environment: {},
    probeMs: 1_000,
  })
}

async function reasonAt(socket: string, dockerHost?: string): Promise<string> {
  const engine = engineAt(socket, dockerHost)
  const answer = await engine.available()
  expect(await engine.labels()).toEqual({})
  return answer.ok ? '' : answer.reason
}

describe('the engine for containers says why it is not there', () => {
  test('where it is to be none, or of another machine', async () => {
    expect(await reasonAt('none')).toBe('Engines.Docker.Socket is none')
    expect(await reasonAt('', 'tcp://10.0.0.1:2375')).toBe(
      'DOCKER_HOST is tcp://10.0.0.1:2375, and only sockets of this machine (unix://PATH) are spoken to',
    )
  })

  test('where nothing listens', async () => {
    const reason = '/nowhere/s does not answer: connect ENOENT /nowhere/s'
    expect(await reasonAt('/nowhere/s')).toBe(`${reason}; ${REMEDY}`)
    expect(await reasonAt('', 'unix:///nowhere/s')).toBe(`${reason}; ${REMEDY}`)
  })

  test.each([
    ['what is not found', http('404 Not Found', '{"message":"page not found"}')],
    ['a page', http('200 OK', '<html>hello</html>')],
    ['another API', http('200 OK', '{"status":"fine"}')],
    ['nothing', http('200 OK', '')],
    ['null', http('200 OK', 'null')],
  ])('where %s answers', async (_, answer) => {
    const path = await answering(answer)
    expect(await reasonAt(path)).toBe(`what answers at ${path} is no Docker and no Podman; ${REMEDY}`)
  })

  test('where no HTTP is spoken', async () => {
    const path = await answering('SSH-2.0-OpenSSH\r\n')
    expect(await reasonAt(path)).toBe(
      `${path} does not answer: Parse Error: Expected HTTP/, RTSP/ or ICE/; ${REMEDY}`,
    )
  })

  test('where nobody answers', async () => {
    const path = await answering(null)
    expect(await reasonAt(path)).toBe(`${path} does not answer within 1 seconds; ${REMEDY}`)
  })

  test.each([
    ['Docker/24.0.5 (linux)', 'Docker-24.0.5'],
    ['Libpod/4.3.1 (linux)', 'Podman-4.3.1'],
  ])('and where one is, by its first answer, what it is: %s', async (header, label) => {
    const engine = engineAt(await answering(null, http(`200 OK\r\nServer: ${header}`, 'OK')))
    expect(await engine.available()).toEqual({ ok: true })
    expect(await engine.labels()).toEqual({ 'saltcod/docker-server': label })
  })

  test('and where one that says so elsewhere is', async () => {
    const engine = engineAt(await answering(http('200 OK', '{"Version":"1.2"}')))
    expect(await engine.labels()).toEqual({ 'saltcod/docker-server': 'Docker-1.2' })
  })

  test.each([
    [{ MemoryLimit: true, CpuCfsQuota: true }, 'cpu-memory'],
    [{ MemoryLimit: true, CpuCfsQuota: false }, 'memory'],
    [{ MemoryLimit: false, CpuCfsQuota: false }, 'none'],
  ])('and which limits Docker has its kernel keep: %j', async (info, limits) => {
    const first = http('200 OK\r\nServer: Docker/24.0.5 (linux)', 'OK')
    const engine = engineAt(await answering(http('200 OK', JSON.stringify(info)), first))
    expect(await engine.labels()).toMatchObject({ 'saltcod/docker-limits': limits })
  })

  test('and not where one that had answered has much to do', async () => {
    const engine = engineAt(await answering(null, http('200 OK\r\nServer: Docker/1.2 (linux)', 'OK')))
    expect(await engine.available()).toEqual({ ok: true })
    // An answer is fresh for a second.
    await delay(1_100)
    expect(await engine.available()).toEqual({ ok: true })
  })
})

test('a job that asks for a container where there can be none is refused with that reason', async () => {
  const node = await serveNode(
    temporaryDirectory(),
    fileFlags({ Engines: { Docker: { Socket: '/nowhere/s' } } }),
  )
  const reason = '/nowhere/s does not answer'
  const { stdout } = await saltcod(['node', 'describe'], { env: node.env })
  expect(stdout).toContain(`No docker   ${reason}`)
  expect(node.log()).toContain(`"docker":"${reason}`)
  const job = 'Type: batch\nTasks: [{ Name: a, Engine: { Type: docker, Params: { Image: a } } }]\n'
  const ran = await saltcod(['job', 'run', '-'], { env: node.env, input: job })
  expect(ran.stderr).toContain(reason)
  const [id = ''] = /j-[0-9a-f-]+/.exec(ran.stdout + ran.stderr) ?? []
  const described = await saltcod(['job', 'describe', id], { env: node.env })
  expect(described.stdout).toContain(reason)
})

test('a job that may wait waits, and says why', async () => {
  const node = await startTestNode()
  const id = await node.submit({
    Type: 'batch',
    Count: 1,
    Tasks: [
      {
        Name: 'a',
        Engine: { Type: 'docker', Params: { Image: 'a' } },
        Timeouts: { QueueTimeout: 3600 },
      },
    ],
  })
  const { Job } = await node.until(id, 'Queued')
  expect(Job.State.Message).toContain('it has no engine docker')
  expect(Job.State.Message).toContain('docker.sock does not answer')
})
