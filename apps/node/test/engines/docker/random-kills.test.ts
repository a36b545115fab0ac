import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { WireGetJobAnswer } from '@saltcod/bacalhau-records'
import { describe, expect, onTestFinished, test } from 'vitest'
import { eventually } from '../../../../../test/eventually.ts'
import { randomBelow } from '../../../../../test/random-numbers.ts'
import { testSeed } from '../../../../../test/seed.ts'
import { temporaryDirectory } from '../../../../../test/temporary-directory.ts'
import { checkStores } from '../../chaos/stores-of.ts'
import { type Served, serveNode } from '../../cli/binary.ts'
import { fileFlags } from '../../node-fixture.ts'
import { containerServer, containersMissingOrShort, named } from './container-server.ts'
import { SocketGate } from './socket-gate.ts'

const missing = containersMissingOrShort()
const KILLS = 40
const JOBS_AT_A_TIME = 2
const PATIENCE_MS = 180_000
const SEED = testSeed()

/** What a container does, and how its job ends where nobody harms that. */
interface Kind {
  readonly type: 'batch' | 'ops' | 'service'
  readonly script: string
  readonly limitSeconds?: number
  readonly state: 'Completed' | 'Failed' | 'Stopped'
  readonly says: RegExp
  /** One, but where its job is tried again. */
  readonly executions: number
}

const KINDS: readonly Kind[] = [
  {
    type: 'batch',
    script: 'seq 20; sleep 2; seq 21 40; echo 1 > /outputs/end',
    state: 'Completed',
    says: /^/,
    executions: 1,
  },
  { type: 'ops', script: 'seq 40', state: 'Completed', says: /^/, executions: 1 },
  {
    type: 'batch',
    script: 'seq 40; sleep 1; exit 3',
    state: 'Completed',
    says: /exit code 3\b/,
    executions: 1,
  },
  {
    type: 'batch',
    script: 'seq 40; sleep 600',
    limitSeconds: 5,
    state: 'Failed',
    says: /longer than its limit/,
    executions: 2,
  },
  { type: 'service', script: 'seq 40; sleep 600', state: 'Stopped', says: /^/, executions: 1 },
]

const VICTIMS = ['node', 'server', 'conmon', 'program', 'node and server', 'all'] as const

/** Podman that is killed as it starts a container can neither start it nor tell what became of it. */
const HALF_STARTED = /container with given ID already exists/

function jobOf({ type, script, limitSeconds }: Kind, mark: string): object {
  return {
    Name: mark,
    Type: type,
    ...(type === 'ops' ? {} : { Count: 1 }),
    Tasks: [
      {
        Name: 'main',
        Engine: {
          Type: 'docker',
          Params: { Image: 'busybox:1', Entrypoint: ['sh', '-c'], Parameters: [`trap exit TERM; ${script}`] },
        },
        Env: { MARK: mark },
        Network: { Type: 'None' },
        Timeouts: {
          QueueTimeout: 600,
          ...(limitSeconds === undefined ? {} : { ExecutionTimeout: limitSeconds }),
        },
        Resources: { CPU: '10m', Memory: '32mb' },
        Publisher: { Type: 'local' },
        ResultPaths: [{ Name: 'outputs', Path: '/outputs' }],
      },
    ],
  }
}

describe.runIf(missing === null)(named('whatever is killed beside containers', missing), () => {
  const server = containerServer()

  test(`every job ends with the truth, by one run at a time, after ${KILLS} kills (seed ${SEED})`, {
    timeout: 3_600_000,
  }, async () => {
    const below = randomBelow(SEED)
    const repo = temporaryDirectory()
    const gate = await SocketGate.open(join(temporaryDirectory(), 'gate'), server().socket)
    onTestFinished(() => gate.close())
    const flags = fileFlags({ Engines: { Docker: { Socket: gate.path } }, Link: { Heartbeat: '1s' } })
    let node: Served = await serveNode(repo, flags)
    const jobs = new Map<string, Kind>()
    /** Executions whose program or whose keeper was killed. */
    const harmed = new Set<string>()

    const submit = async (kind: Kind, name: string): Promise<void> => {
      const answer = await fetch(`${node.url}/api/v1/orchestrator/jobs`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ Job: jobOf(kind, name) }),
      })
      const { JobID } = (await answer.json()) as { readonly JobID: string }
      jobs.set(JobID, kind)
    }

    /** Undefined while Podman cannot list them, for it was killed as it made one that the node has yet to remove. */
    const listed = async () =>
      await server()
        .containers()
        .catch(() => undefined)

    const alive = async (): Promise<string[]> =>
      ((await listed()) ?? [])
        .filter(({ State }) => State === 'running')
        .map(({ Names }) => (Names[0] ?? '').replace(/^\//, ''))

    /** Kills what looks after one of the containers, or its program. */
    const harm = async (part: 'ConmonPid' | 'Pid'): Promise<void> => {
      const names = await alive()
      const name = names[below(Math.max(1, names.length))]
      if (name === undefined) return
      harmed.add(name)
      try {
        const pid = Number(server().podman('inspect', '--format', `{{.State.${part}}}`, name))
        if (pid > 1) process.kill(pid, 'SIGKILL')
      } catch {
        // It was over.
      }
    }

    const kill = async (victim: (typeof VICTIMS)[number]): Promise<void> => {
      if (victim === 'conmon' || victim === 'all') await harm('ConmonPid')
      if (victim === 'program' || victim === 'all') await harm('Pid')
      const withServer = victim === 'server' || victim === 'node and server' || victim === 'all'
      const withNode = victim === 'node' || victim === 'node and server' || victim === 'all'
      await Promise.all([withServer ? server().kill() : undefined, withNode ? node.end() : undefined])
      if (withServer) await server().restart()
      if (withNode) node = await serveNode(repo, flags)
    }

    /** No execution has two containers at a time. */
    const expectOneEach = async (): Promise<void> => {
      const executions = (await alive()).map((name) => name.replace(/-\d+$/, ''))
      expect(executions.length).toBe(new Set(executions).size)
    }

    const answerOf = async (id: string): Promise<WireGetJobAnswer> => {
      const url = `${node.url}/api/v1/orchestrator/jobs/${id}?include=executions,history`
      return (await (await fetch(url)).json()) as WireGetJobAnswer
    }

    for (let number = 0; number < KILLS; number += 1) {
      for (let job = 0; job < JOBS_AT_A_TIME; job += 1) {
        const kind = KINDS[below(KINDS.length)] as Kind
        await submit(kind, `kill-${number}-${job}`)
      }
      await delay(below(3_000))
      await kill(VICTIMS[below(VICTIMS.length)] ?? 'node')
      await expectOneEach()
    }

    const isOver = (state: string): boolean => ['Completed', 'Failed', 'Stopped'].includes(state)
    let waiting: string[] = []
    await eventually(
      () => `these are not over: ${waiting.join('; ')}`,
      async () => {
        await expectOneEach()
        waiting = []
        for (const [id, { type, script }] of jobs) {
          const { Job, History } = await answerOf(id)
          const { StateType } = Job.State
          if (isOver(StateType) || (type === 'service' && StateType === 'Running')) continue
          const said = History?.Items.map(({ Comment }) => Comment).join(' | ') ?? ''
          waiting.push(`${id} (${script}) ${StateType}: ${said}`)
        }
        return waiting.length === 0
      },
      PATIENCE_MS,
    )
    for (const [id, { type }] of jobs)
      if (type === 'service') await fetch(`${node.url}/api/v1/orchestrator/jobs/${id}`, { method: 'DELETE' })
    const untrue: string[] = []
    for (const [id, kind] of jobs) {
      await eventually(
        `${id} is over`,
        async () => isOver((await answerOf(id)).Job.State.StateType),
        PATIENCE_MS,
      )
      const { Job, Executions, History } = await answerOf(id)
      const executions = Executions?.Items ?? []
      const all = History?.Items.map(({ Comment }) => Comment).join(' | ') ?? ''
      const isHarmed =
        HALF_STARTED.test(all) || executions.some(({ ID }) => [...harmed].some((name) => name.includes(ID)))
      const { StateType } = Job.State
      if (
        !isHarmed &&
        (StateType !== kind.state || !kind.says.test(all) || executions.length !== kind.executions)
      )
        untrue.push(`${id} ${kind.script}: ${StateType}, ${executions.length} executions: ${all}`)
    }
    expect(untrue).toEqual([])
    expect([...gate.starts].filter(([, count]) => count !== 1)).toEqual([])
    await eventually('no container is left', async () => (await listed())?.length === 0, PATIENCE_MS)
    expect(server().podman('volume', 'ls', '-q')).toBe('')
    const work = readdirSync(node.directory, { recursive: true, encoding: 'utf8' })
    expect(work.filter((path) => /\/work\/[^/]+\/root/.test(path))).toEqual([])
    node.signal('SIGTERM')
    await node.exited
    await checkStores(repo)
  })
})
