import type { Task } from '@saltcod/bacalhau-records'
import { bootId } from '../../compute/keeper/process-table.ts'
import { parameterLines, readParameters } from '../../spec/parameters.ts'
import { requestedCapacity } from '../../spec/requested-capacity.ts'
import { pause } from '../../waiting/pause.ts'
import type {
  Availability,
  Engine,
  EngineRun,
  ImageCounts,
  PreparedRun,
  PrepareOptions,
  StandingRuns,
  TendOptions,
  TendReport,
  UnwantedRun,
} from '../engine.ts'
import { failedStart } from '../failed-start.ts'
import { Ports, type TakenPorts } from '../ports.ts'
import { containerName, LABELS } from './container-name.ts'
import { notedPlace, notePlace } from './container-place.ts'
import { ContainerRun } from './container-run.ts'
import { containerSpec, mapsPortsOf, type Owner } from './container-spec.ts'
import { findContainer, removeContainer, untilAnswered } from './container-state.ts'
import { loginFor } from './credentials.ts'
import { DiskWatch } from './disk-watch.ts'
import { type PullPolicy, provideImage } from './images.ts'
import { removeLeftovers } from './leftovers.ts'
import { DOCKER, type DockerParameters } from './parameters.ts'
import { type ImageRules, PulledImages } from './pulled-images.ts'
import { makeResultPaths, takeResults } from './results.ts'
import { isDocker, SERVER_PATIENCE_MS, type Server, ServerFinder } from './server.ts'
import { serverLimits } from './server-limits.ts'
import { hasStatus, isUnanswered, oneLine, type SocketApi } from './socket-api.ts'
import type { SocketPlaces } from './socket-place.ts'
import { startError } from './start-error.ts'
import { endUnwanted } from './unwanted-container.ts'

const LOOK_FOR_SERVER_MS = 1_000
const DEFAULT_GRACE_MS = 5_000
const COLLECT_EVERY_MS = 300_000
/** How often a container is made whose name an earlier try has taken. */
const MOST_TRIES = 5
const DEFAULT_PROCESSES = 2_048
/** The label of a node that says what runs its containers. */
const SERVER_LABEL = 'saltcod/docker-server'
/** The label of a node that says which limits its kernel keeps for them. */
const LIMITS_LABEL = 'saltcod/docker-limits'
const LIMITS_WITHIN_MS = 5_000

/** Options of {@link DockerEngine}. */
export interface DockerOptions {
  readonly owner: Owner
  readonly places: SocketPlaces
  readonly pull: PullPolicy
  /** How long nothing may come of an image before its fetch is given up. */
  readonly stallMs: number
  /** How long images are kept that it has fetched. */
  readonly imageRules: ImageRules
  /** Where logins of registries are named. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** From the polite signal to SIGKILL. */
  readonly graceMs?: number
  readonly maxProcesses?: number
  /** How long a server that was not seen yet is given to answer. */
  readonly probeMs?: number
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
  readonly #images: PulledImages
  #collectedMs = Number.NEGATIVE_INFINITY
  readonly #diskWatch = new DiskWatch()
  readonly #limits = new WeakMap<Server, readonly string[]>()
  /** Containers that are being made, which no sweep may take away. */
  readonly #making = new Set<string>()

  constructor(options: DockerOptions) {
    this.#options = options
    this.#finder = new ServerFinder(options.places, options.probeMs)
    this.#images = new PulledImages(options.owner.dataDir)
    this.standing = {
      reattach: (run, prepare) => this.#reattach(run, prepare),
      end: (run) => this.#end(run),
      tend: (tend) => this.#tend(tend),
    }
  }

  async available(): Promise<Availability> {
    const reason = await this.#finder.missing()
    return reason === null ? { ok: true } : { ok: false, reason }
  }

  images(): ImageCounts {
    return this.#images.counts
  }

  async labels(): Promise<Readonly<Record<string, string>>> {
    if ((await this.#finder.missing()) !== null) return {}
    const limits = await this.#limitsOfServer()
    return {
      [SERVER_LABEL]: this.#finder.lastName.replace(/[^\w.+-]/g, '-'),
      ...(limits === undefined ? {} : { [LIMITS_LABEL]: limits.join('-') || 'none' }),
    }
  }

  /** Undefined where its server does not say. */
  async #limitsOfServer(): Promise<readonly string[] | undefined> {
    const server = await this.#finder.find()
    if (typeof server === 'string') return undefined
    try {
      const limits =
        this.#limits.get(server) ?? (await serverLimits(server, AbortSignal.timeout(LIMITS_WITHIN_MS)))
      if (limits !== undefined) this.#limits.set(server, limits)
      return limits
    } catch {
      // It is asked again with the next heartbeat.
      return undefined
    }
  }

  async denial({ Resources }: Task): Promise<string | null> {
    if (requestedCapacity(Resources).gpu === 0) return null
    const server = await this.#finder.find()
    if (typeof server === 'string' || isDocker(server)) return null
    return `${server.name} passes no GPUs on to the containers of its Docker API; a node with Docker can`
  }

  async prepare(run: EngineRun, options: PrepareOptions): Promise<PreparedRun> {
    const read = readParameters(DOCKER, run.task.Engine.Params)
    if ('problems' in read) return failedStart(parameterLines(DOCKER, run.task.Engine.Params).join('; '))
    const name = containerName(run)
    const { Network } = run.task
    const ports = await this.#ports.take(Network?.Ports ?? [], { mapped: mapsPortsOf(Network) })
    if (typeof ports === 'string') return failedStart(`docker: ${ports}`)
    this.#making.add(name)
    let giveUpMs = performance.now() + SERVER_PATIENCE_MS
    try {
      for (;;) {
        const server = await this.#finder.find()
        const triedMs = performance.now()
        try {
          if (typeof server !== 'string')
            return await this.#images.holding(read.data.Image, () =>
              this.#make(server, run, { params: read.data, ports }, options),
            )
        } catch (error) {
          if (!isUnanswered(error)) throw error
          // A try that went on for so long was answered for most of it, as the fetching of a large image.
          if (performance.now() - triedMs > SERVER_PATIENCE_MS)
            giveUpMs = performance.now() + SERVER_PATIENCE_MS
          else if (performance.now() > giveUpMs) throw error
          options.tell?.(`It is tried again: ${oneLine(error)}`)
        }
        options.signal.throwIfAborted()
        if (typeof server === 'string') {
          if (performance.now() > giveUpMs) throw new Error(server)
          options.tell?.(`It waits for Docker or Podman: ${server}`)
        }
        await pause(LOOK_FOR_SERVER_MS, options.signal)
      }
    } catch (error) {
      this.#making.delete(name)
      ports.release()
      throw error
    }
  }

  async #make(
    server: Server,
    run: EngineRun,
    { params, ports }: { readonly params: DockerParameters; readonly ports: TakenPorts },
    options: PrepareOptions,
  ): Promise<PreparedRun> {
    const { signal, tell } = options
    const { api } = server
    const { owner, pull, stallMs, environment, maxProcesses = DEFAULT_PROCESSES } = this.#options
    const { Image: image } = params
    const provided = await provideImage(api, image, {
      policy: pull,
      stallMs,
      login: (name) => loginFor(name, environment),
      tell: (how) => tell?.(`Fetching the image ${image}: ${how}`),
      signal,
    })
    await this.#images.note(api, image, { isOwn: provided === 'fetched', nowMs: Date.now() })
    signal.throwIfAborted()
    const name = containerName(run)
    const spec = containerSpec(run, params, owner, { maxProcesses, ports, isDocker: isDocker(server) })
    notePlace(run.work.workDir, api.socketPath)
    try {
      await create(api, name, spec)
    } catch (error) {
      if (isUnanswered(error)) throw error
      throw new Error(startError(oneLine(error), run.limits.memoryBytes), { cause: error })
    }
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
    const container = new ContainerRun({ api, run, prepare: options, graceMs, diskWatch: this.#diskWatch })
    const remove = async (): Promise<void> => {
      this.#making.delete(name)
      ports?.release()
      await container.remove()
    }
    return {
      process: null,
      ...(ports === undefined ? {} : { note: ports.text }),
      go: async () => {
        // On record as running by now, which keeps it.
        this.#making.delete(name)
        return await container.go()
      },
      gather: async () =>
        await untilAnswered(
          () =>
            takeResults(api, container.container, run.work.results, {
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
      const server = await this.#serverOf(run.work.workDir)
      try {
        if (typeof server !== 'string') {
          const there = await findContainer(server.api, run, run.work.workDir, signal)
          // What an earlier boot has left says nothing of how it ended.
          if (there === undefined || there.found.Config.Labels[LABELS.boot] !== bootId()) return null
          return this.#prepared(server.api, run, options)
        }
      } catch (error) {
        if (!isUnanswered(error)) throw error
      }
      await pause(LOOK_FOR_SERVER_MS, signal)
    }
  }

  async #end(run: UnwantedRun): Promise<void> {
    const server = await this.#serverOf(run.workDir)
    if (typeof server === 'string') throw new Error(server)
    await endUnwanted(server.api, run)
  }

  async #serverOf(workDir: string): Promise<Server | string> {
    const place = notedPlace(workDir)
    return await (place === undefined ? this.#finder.find() : this.#finder.findAt(place))
  }

  async #tend(options: TendOptions): Promise<TendReport> {
    const server = await this.#finder.find()
    if (typeof server === 'string') return { removed: [] }
    const left = await removeLeftovers(server.api, this.#options.owner, {
      isWanted: async (identity) =>
        this.#making.has(containerName(identity)) || (await options.isWanted(identity)),
      unwanted: options.unwanted,
    })
    return { ...left, images: await this.#collectImages(server.api) }
  }

  async #collectImages(api: SocketApi): Promise<readonly string[]> {
    const nowMs = performance.now()
    if (nowMs - this.#collectedMs < COLLECT_EVERY_MS) return []
    this.#collectedMs = nowMs
    return await this.#images.collect(api, this.#options.imageRules, Date.now())
  }
}

/**
 * Makes a container; one of its name that an earlier try has left was never started. Such a try may still be under way
 * at the server.
 */
async function create(api: SocketApi, name: string, spec: object): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await api.ask({ method: 'POST', path: '/containers/create', query: { name }, body: spec })
      return
    } catch (error) {
      const isTaken = hasStatus(error, 409) || /already in use/i.test(String(error))
      if (!isTaken || tries === MOST_TRIES) throw error
    }
    await removeContainer(api, name)
  }
}
