import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { eventually } from '../../../../../test/eventually.ts'
import { ProgramSession } from '../../../../../test/program-session.ts'
import { temporaryDirectory } from '../../../../../test/temporary-directory.ts'
import { COMMANDS, jobUntil, type Served, serveNode } from '../../cli/binary.ts'
import { fileFlags } from '../../node-fixture.ts'
import { containerServer, containersMissingOrShort, named } from './container-server.ts'
import { type Passing, SocketGate } from './socket-gate.ts'

const missing = containersMissingOrShort()
const ROUNDS = Array.from({ length: 18 }, (_, index) => index + 1)
/** The machine may have much else to do. */
const PATIENCE_MS = 600_000
/** A round is of a few points: what is held is given up after a minute, by which all of them have to be reached. */
const PARTS = 3
const ROUND_MS = 3_600_000

/** Where the life of a container is broken off, by what passes its server then. */
interface Point {
  readonly name: string
  readonly holds: (passing: Passing) => boolean
  /** In seconds. */
  readonly sleeps?: number
  /** It is asked to stop. */
  readonly isStopped?: boolean
  /** Its image is fetched, and how: to its end, or never before it is broken off. */
  readonly fetches?: 'whole' | 'stalls'
}

const ask =
  (way: Passing['way'], method: string, path: RegExp, query: Readonly<Record<string, string>> = {}) =>
  (passing: Passing): boolean =>
    passing.way === way &&
    passing.method === method &&
    path.test(passing.path) &&
    Object.entries(query).every(([key, value]) => passing.query.get(key) === value)

const POINTS: readonly Point[] = [
  {
    name: 'before its image is fetched',
    holds: ask('asked', 'POST', /^\/images\/create$/),
    fetches: 'whole',
  },
  {
    name: 'as its image is fetched',
    holds: ask('answered', 'POST', /^\/images\/create$/),
    fetches: 'stalls',
  },
  { name: 'before it is made', holds: ask('asked', 'POST', /^\/containers\/create$/) },
  { name: 'as it is made', holds: ask('answered', 'POST', /^\/containers\/create$/) },
  { name: 'as its result paths are made', holds: ask('answered', 'PUT', /\/archive$/) },
  { name: 'before it is started', holds: ask('asked', 'POST', /\/start$/) },
  { name: 'as it is started', holds: ask('answered', 'POST', /\/start$/) },
  { name: 'as it runs', holds: ask('asked', 'POST', /\/wait$/), sleeps: 3 },
  { name: 'as it ends', holds: ask('answered', 'POST', /\/wait$/), sleeps: 3 },
  { name: 'as its log is read', holds: ask('answered', 'GET', /\/logs$/, { follow: '0' }) },
  { name: 'before its results are taken', holds: ask('asked', 'GET', /\/archive$/) },
  { name: 'as its results are taken', holds: ask('answered', 'GET', /\/archive$/) },
  { name: 'before it is removed', holds: ask('asked', 'DELETE', /^\/containers/) },
  { name: 'as it is removed', holds: ask('answered', 'DELETE', /^\/containers/) },
  { name: 'as it is stopped', holds: ask('answered', 'POST', /\/stop$/), sleeps: 60, isStopped: true },
]

/** The points of a round, by their number. */
function pointsOf(round: number): readonly (readonly [number, Point])[] {
  return [...POINTS.entries()].filter(([index]) => index % PARTS === round % PARTS)
}

const LINES = 200

/** What the container of a point is known by, in one round. */
function markOf(index: number, round: number): string {
  return `point-${index}-${round}.`
}

function jobAt(index: number, round: number, image: string): object {
  const sleeps = POINTS[index]?.sleeps ?? 0
  const script = `trap exit TERM; seq ${LINES}; sleep ${sleeps} & wait; echo ${index} > /outputs/end`
  return {
    Type: 'batch',
    Count: 1,
    Tasks: [
      {
        Name: 'main',
        Engine: {
          Type: 'docker',
          Params: { Image: image, Entrypoint: ['sh', '-c'], Parameters: [script] },
        },
        Env: { POINT: markOf(index, round) },
        Network: { Type: 'None' },
        Timeouts: { QueueTimeout: 600 },
        Resources: { CPU: '10m', Memory: '32mb' },
        Publisher: { Type: 'local' },
        ResultPaths: [{ Name: 'outputs', Path: '/outputs' }],
      },
    ],
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

describe.runIf(missing === null)(
  named('the life of a container is broken off at every point of it', missing),
  () => {
    const server = containerServer()

    beforeAll(() => server().addImage('busybox:volume', { changes: ['VOLUME /data'] }))

    const openGate = async (): Promise<SocketGate> => {
      const gate = await SocketGate.open(join(temporaryDirectory(), 'gate'), server().socket)
      onTestFinished(() => gate.close())
      return gate
    }

    /** Serves the images that are fetched in a round; answers with that of each point. */
    const serveImages = (round: number): string[] => {
      const { registry } = server()
      return pointsOf(round).map(([index, { fetches }]) => {
        if (fetches === undefined) return 'busybox:volume'
        const name = `${markOf(index, round)}image`
        registry.images.set(name, fetches === 'stalls' ? { layerBytes: 100_000, ends: 'stall' } : {})
        return `${registry.address}/${name}:1`
      })
    }

    /** Has what was never to come come. */
    const serveWhole = (images: readonly string[]): void => {
      const { registry } = server()
      for (const image of images) {
        const name = image.split(/[/:]/).at(-2) ?? ''
        if (registry.images.has(name)) registry.images.set(name, {})
      }
    }

    /** What was fetched is there whole, and nothing beside it; it is removed for the next round. */
    const expectImages = (images: readonly string[]): void => {
      const fetched = images.filter((image) => !image.startsWith('busybox'))
      const names = ['docker.io/library/busybox:1', 'docker.io/library/busybox:volume', ...fetched]
      const listed = server().podman('images', '--all', '--format', '{{.Repository}}:{{.Tag}}')
      expect(listed.trim().split('\n').toSorted()).toEqual(names.toSorted())
      if (fetched.length > 0) server().podman('rmi', ...fetched)
    }

    /** Submits a job for each point of a round, and waits until each is at its point. */
    const bringToPoints = async (
      node: Served,
      gate: SocketGate,
      round: number,
      images: readonly string[],
    ): Promise<string[]> => {
      // A node asks again where it had no answer for long, so that one may have gone on from its point.
      const reached = new Set<number>()
      gate.holds = (passing) => {
        const index = Number(/point-(\d+)-/.exec(passing.spec)?.[1])
        if (POINTS[index]?.holds(passing) !== true) return false
        reached.add(index)
        return true
      }
      const points = pointsOf(round)
      const ids = await Promise.all(
        points.map(([index], at) => submit(node, jobAt(index, round, images[at] ?? ''))),
      )
      for (const [at, [index, { isStopped }]] of points.entries()) {
        if (isStopped !== true) continue
        const id = ids[at] ?? ''
        await eventually('it is started', () => gate.wasStarted(markOf(index, round)), PATIENCE_MS)
        await fetch(`${node.url}/api/v1/orchestrator/jobs/${id}`, { method: 'DELETE' })
      }
      const left = (): string[] => points.flatMap(([index, { name }]) => (reached.has(index) ? [] : [name]))
      await eventually(
        () => left().join(', '),
        () => left().length === 0,
        PATIENCE_MS,
      )
      return ids
    }

    /** Every job ends as if nothing had been, by one run, and nothing is left over. */
    const expectWhole = async (
      node: Served,
      gate: SocketGate,
      round: number,
      ids: readonly string[],
    ): Promise<void> => {
      const session = new ProgramSession(COMMANDS)
      onTestFinished(() => session.close())
      const lines = Array.from({ length: LINES }, (_, index) => `${index + 1}\n`).join('')
      for (const [at, [, { name, isStopped = false }]] of pointsOf(round).entries()) {
        const id = ids[at] ?? ''
        const { Executions, History } = await jobUntil(
          node.url,
          id,
          isStopped ? 'Stopped' : 'Completed',
          PATIENCE_MS,
        )
        const [execution, another] = Executions?.Items ?? []
        expect({ name, another }, JSON.stringify(History)).toEqual({ name, another: undefined })
        if (!isStopped)
          expect({ name, output: execution?.RunOutput?.Stdout }).toEqual({ name, output: lines })
        const { stdout } = await session.run(['job', 'logs', id], { env: node.env })
        expect({ name, stdout }).toEqual({ name, stdout: lines })
      }
      expect([...gate.starts].filter(([name, count]) => count !== 1 || !name.endsWith('-1'))).toEqual([])
      await server().becomesEmpty(PATIENCE_MS)
      expect(server().podman('volume', 'ls', '-q')).toBe('')
      expect(server().podman('network', 'ls', '-q')).toBe('podman\n')
      const work = readdirSync(node.directory, { recursive: true, encoding: 'utf8' })
      expect(work.filter((path) => /\/work\/[^/]+\/root/.test(path))).toEqual([])
    }

    const victims: readonly (readonly [string, { readonly node: boolean; readonly server: boolean }])[] = [
      ['the node', { node: true, server: false }],
      ['the server', { node: false, server: true }],
      ['both', { node: true, server: true }],
    ]

    describe.each(victims)('%s is killed there', (_, killed) => {
      test.each(ROUNDS)(
        'in round %i',
        async (round) => {
          const repo = temporaryDirectory()
          const gate = await openGate()
          const flags = fileFlags({ Engines: { Docker: { Socket: gate.path } }, Link: { Heartbeat: '1s' } })
          let node = await serveNode(repo, flags)
          const images = serveImages(round)
          const ids = await bringToPoints(node, gate, round, images)
          if (killed.server) await server().kill()
          if (killed.node) await node.end()
          gate.drop()
          serveWhole(images)
          if (killed.server) await server().restart()
          if (killed.node) node = await serveNode(repo, flags)
          await expectWhole(node, gate, round, ids)
          expectImages(images)
        },
        ROUND_MS,
      )
    })
  },
)
