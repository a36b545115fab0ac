import { bootId } from '../../compute/keeper/process-table.ts'
import { parameterLines, readParameters } from '../../spec/parameters.ts'
import { pause } from '../../waiting/pause.ts'
import type {
  Availability,
  Engine,
  EngineRun,
  PreparedRun,
  PrepareOptions,
  RunIdentity,
  StandingRuns,
  TendOptions,
  TendReport,
} from '../engine.ts'
import { failedStart } from '../failed-start.ts'
import { Ports, type TakenPorts } from '../ports.ts'
import { containerName, LABELS } from './container-name.ts'
import { ContainerRun } from './container-run.ts'
import { containerSpec, mapsPortsOf, type Owner } from './container-spec.ts'
import { inspect, removeContainer, untilAnswered } from './container-state.ts'
import { authorizationFor } from './credentials.ts'
import { type PullPolicy, provideImage } from './images.ts'
import { removeLeftovers } from './leftovers.ts'
import { DOCKER, type DockerParameters } from './parameters.ts'
import { makeResultPaths, takeResults } from './results.ts'
import { type Server, ServerFinder } from './server.ts'
import { hasStatus, isUnanswered, type SocketApi } from './socket-api.ts'
import type { SocketPlaces } from './socket-place.ts'

const LOOK_FOR_SERVER_MS = 1_000
const DEFAULT_GRACE_MS = 5_000
const DEFAULT_PROCESSES = 2_048
/** The label of a node that says what runs its containers. */
const SERVER_LABEL = 'saltcod/docker-server'
/** A server that was there when a run began is waited for so long before the run counts as not started. */
const PATIENCE_MS = 60_000

/** Options of {@link DockerEngine}. */
export interface DockerOptions {
  readonly owner: Owner
  readonly places: SocketPlaces
  readonly pull: PullPolicy
  /** Where logins of registries are named. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** From the polite signal to SIGKILL. */
  readonly graceMs?: number
  readonly maxProcesses?: number
}

/**
 * Runs a task in a container of an image. A container does not end with the node: it is known by its name, which is
 * that of its execution and attempt, and the next start goes on with it.
 */
export class DockerEngine implements Engine {
  readonly type: string = DOCKER.type
  readonly keeper = null
  readonly standing: StandingRuns
  readonly #options: DockerOptions
  readonly #finder: ServerFinder
  readonly #ports = new Ports()
  /** Containers that are being made, which no sweep may take away. */
  readonly #making = new Set<string>()

  constructor(options: DockerOptions) {
    this.#options = options
    this.#finder = new ServerFinder(options.places)
    this.standing = {
      reattach: (run, prepare) => this.#reattach(run, prepare),
      end: (identity) => this.#end(identity),
      tend: (tend) => this.#tend(tend),
    }
  }

  async available(): Promise<Availability> {
    const server = await this.#finder.find()
    return typeof server === 'string' ? { ok: false, reason: server } : { ok: true }
  }

  async labels(): Promise<Readonly<Record<string, string>>> {
    const server = await this.#finder.find()
    return typeof server === 'string' ? {} : { [SERVER_LABEL]: server.name.replace(/[^\w.+-]/g, '-') }
  }

  async prepare(run: EngineRun, options: PrepareOptions): Promise<PreparedRun> {
    const read = readParameters(DOCKER, run.task.Engine.Params)
    if ('problems' in read) return failedStart(parameterLines(DOCKER, run.task.Engine.Params).join('; '))
    const name = containerName(run)
    const { Network } = run.task
    const ports = await this.#ports.take(Network?.Ports ?? [], { mapped: mapsPortsOf(Network) })
    if (typeof ports === 'string') return failedStart(`docker: ${ports}`)
    this.#making.add(name)
    const giveUpMs = performance.now() + PATIENCE_MS
    try {
      for (;;) {
        const server = await this.#finder.find()
        try {
          if (typeof server !== 'string')
            return await this.#make(server, run, { params: read.data, ports }, options)
        } catch (error) {
          if (!isUnanswered(error) || performance.now() > giveUpMs) throw error
        }
        options.signal.throwIfAborted()
        if (typeof server === 'string' && performance.now() > giveUpMs) throw new Error(server)
        await pause(LOOK_FOR_SERVER_MS, options.signal)
      }
    } catch (error) {
      this.#making.delete(name)
      ports.release()
      throw error
    }
  }

  async #make(
    { api }: Server,
    run: EngineRun,
    { params, ports }: { readonly params: DockerParameters; readonly ports: TakenPorts },
    options: PrepareOptions,
  ): Promise<PreparedRun> {
    const { signal, tell } = options
    const { owner, pull, environment, maxProcesses = DEFAULT_PROCESSES } = this.#options
    await provideImage(api, params.Image, {
      policy: pull,
      authorization: (image) => authorizationFor(image, environment),
      tell: (how) => tell?.(`Fetching the image ${params.Image}: ${how}`),
      signal,
    })
    signal.throwIfAborted()
    const name = containerName(run)
    const spec = containerSpec(run, params, owner, { maxProcesses, ports })
    await create(api, name, spec)
    try {
      await makeResultPaths(api, name, run.work.results)
    } catch (error) {
      await removeContainer(api, name).catch(() => undefined)
      throw error
    }
    return this.#prepared(api, run, options, ports)
  }

  #prepared(api: SocketApi, run: EngineRun, options: PrepareOptions, ports?: TakenPorts): PreparedRun {
    const { graceMs = DEFAULT_GRACE_MS } = this.#options
    const name = containerName(run)
    const container = new ContainerRun({ api, run, prepare: options, graceMs })
    const remove = async (): Promise<void> => {
      this.#making.delete(name)
      ports?.release()
      await container.remove()
    }
    return {
      process: null,
      go: async () => {
        // On record as running by now, which keeps it.
        this.#making.delete(name)
        return await container.go()
      },
      gather: async () =>
        await untilAnswered(
          () =>
            takeResults(api, name, run.work.results, {
              maxBytes: run.limits.outputBytes,
              signal: options.signal,
            }),
          options.signal,
        ),
      abandon: remove,
      settled: remove,
    }
  }

  async #reattach(run: EngineRun, options: PrepareOptions): Promise<PreparedRun | null> {
    const { signal } = options
    for (;;) {
      signal.throwIfAborted()
      const server = await this.#finder.find()
      try {
        if (typeof server !== 'string') {
          const found = await inspect(server.api, containerName(run), signal)
          // What an earlier boot has left says nothing of how it ended.
          if (found === undefined || found.Config.Labels?.[LABELS.boot] !== bootId()) return null
          return this.#prepared(server.api, run, options)
        }
      } catch (error) {
        if (!isUnanswered(error)) throw error
      }
      await pause(LOOK_FOR_SERVER_MS, signal)
    }
  }

  async #end(identity: RunIdentity): Promise<void> {
    const server = await this.#finder.find()
    if (typeof server === 'string') throw new Error(server)
    await removeContainer(server.api, containerName(identity))
  }

  async #tend(options: TendOptions): Promise<TendReport> {
    const server = await this.#finder.find()
    if (typeof server === 'string') return { removed: [] }
    const removed = await removeLeftovers(server.api, this.#options.owner, {
      isWanted: async (identity) =>
        this.#making.has(containerName(identity)) || (await options.isWanted(identity)),
    })
    return { removed }
  }
}

/** Makes a container; one of its name that an earlier try has left was never started. */
async function create(api: SocketApi, name: string, spec: object): Promise<void> {
  const ask = { method: 'POST', path: '/containers/create', query: { name }, body: spec } as const
  try {
    await api.ask(ask)
  } catch (error) {
    if (!hasStatus(error, 409) && !/already in use/i.test(String(error))) throw error
    await removeContainer(api, name)
    await api.ask(ask)
  }
}
