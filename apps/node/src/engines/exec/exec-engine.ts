import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'
import type { Task } from '@saltcod/bacalhau-records'
import type { CommandLine } from '../../compute/keeper/confinement.ts'
import { Keeper } from '../../compute/keeper/keeper.ts'
import { outcomeOf } from '../../compute/keeper/outcome.ts'
import type { Isolation } from '../../compute/keeper/protocol.ts'
import { parameterLines, readParameters } from '../../spec/parameters.ts'
import type { Availability, Engine, EngineRun, PreparedRun, PrepareOptions } from '../engine.ts'
import { jobEnvironment } from '../environment.ts'
import { failedStart } from '../failed-start.ts'
import { wantsOwnNetwork } from '../network.ts'
import { Ports, type TakenPorts } from '../ports.ts'
import { findOwnNetwork, type OwnNetwork } from './own-network.ts'
import { EXEC } from './parameters.ts'

/** The label of a node that says how its native jobs are kept apart. */
export const ISOLATION_LABEL: string = 'saltcod/exec-isolation'
/** The label that says what the kernel holds each of them to as a whole. */
const CONTROLLERS_LABEL = 'saltcod/exec-controllers'
/** The label that says which networks they may have. */
const NETWORK_LABEL = 'saltcod/exec-network'
const DEFAULT_PATH = '/usr/local/bin:/usr/bin:/bin'
const NO_NETWORK = 'this machine gives the user of the node no network namespace with a loopback device'
const DEFAULT_GRACE_MS = 5_000
const DEFAULT_PROCESSES = 2_048
/** What one process may take beyond the job's limit before the keeper's next look at all of them. */
const DATA_SLACK_BYTES = 256 * 1024 * 1024

/** Options of {@link ExecEngine}. */
export interface ExecOptions {
  /** False: jobs are refused. The operator decides, since such a job may do whatever the node's user may. */
  readonly allowed: boolean
  /** Where commands without a slash are looked for, and the jobs' `PATH`. */
  readonly searchPath?: string
  /** From SIGTERM to SIGKILL on a cancel or at the time limit. */
  readonly graceMs?: number
  /** More processes than this at a time end a job. */
  readonly maxProcesses?: number
  /** What is to keep the jobs apart, where the machine has it. Default: a PID namespace for each. */
  readonly isolation?: Isolation
  /** True: each in a PID namespace that no other had. False: those of one namespace may follow each other in one. */
  readonly freshNamespace?: boolean
  /** Looks after the jobs; default: one of the engine's own. */
  readonly keeper?: Keeper
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

/**
 * Runs a native program: `Command` with `Arguments`, no shell in between. It starts in the directory under
 * which inputs and result directories lie (an input with the target `/inputs/a` is `inputs/a` there). It is
 * bounded, not isolated: it runs as the node's user and can read what that user can.
 */
export class ExecEngine implements Engine {
  readonly type: string = EXEC.type
  readonly #allowed: boolean
  readonly #searchPath: string
  readonly #graceMs: number
  readonly #maxProcesses: number
  readonly #isolation: Isolation
  readonly #freshNamespace: boolean
  readonly #ports = new Ports()
  #ownNetwork: Promise<OwnNetwork | null> | undefined
  readonly keeper: Keeper

  constructor(options: ExecOptions) {
    this.#allowed = options.allowed
    this.#searchPath = options.searchPath ?? DEFAULT_PATH
    this.#graceMs = options.graceMs ?? DEFAULT_GRACE_MS
    this.#maxProcesses = options.maxProcesses ?? DEFAULT_PROCESSES
    this.#isolation = options.isolation ?? 'pid-namespace'
    this.#freshNamespace = options.freshNamespace ?? false
    this.keeper = options.keeper ?? new Keeper()
  }

  available(): Promise<Availability> {
    if (!this.#allowed) {
      return Promise.resolve({
        ok: false,
        reason: 'the exec engine is off; start the node with --allow-exec',
      })
    }
    if (!existsSync('/proc/self/stat')) {
      return Promise.resolve({ ok: false, reason: 'the exec engine needs Linux with /proc mounted' })
    }
    return Promise.resolve({ ok: true })
  }

  /** Says how jobs are kept apart, and by which controllers of cgroups they are bounded, where there are any. */
  async labels(): Promise<Readonly<Record<string, string>>> {
    if (!(await this.available()).ok) return {}
    const { isolation, controllers } = await this.keeper.shelter(this.#isolation)
    return {
      [NETWORK_LABEL]: (await this.#findOwnNetwork()) === null ? 'host' : 'host-or-own',
      [ISOLATION_LABEL]: isolation,
      ...(controllers.length > 0 && { [CONTROLLERS_LABEL]: controllers.join('-') }),
    }
  }

  async denial({ Network }: Task): Promise<string | null> {
    // Records of earlier releases may lack it.
    if (Network === undefined || !wantsOwnNetwork(Network) || (await this.#findOwnNetwork()) !== null)
      return null
    return `Network.Type ${Network.Type}: ${NO_NETWORK}`
  }

  /** Looked for where one is wanted, and once. */
  async #findOwnNetwork(): Promise<OwnNetwork | null> {
    this.#ownNetwork ??= findOwnNetwork()
    return await this.#ownNetwork
  }

  async prepare(run: EngineRun, options: PrepareOptions): Promise<PreparedRun> {
    const available = await this.available()
    if (!available.ok) return failedStart(available.reason)
    const read = readParameters(EXEC, run.task.Engine.Params)
    if ('problems' in read) return failedStart(parameterLines(EXEC, run.task.Engine.Params).join('; '))
    const { Command: command, Arguments: args } = read.data
    const { Network } = run.task
    const ports = await this.#ports.take(Network?.Ports ?? [])
    if (typeof ports === 'string') return failedStart(`exec: ${ports}`)
    let prepared: PreparedRun
    try {
      prepared = await this.#prepareWith(run, options, { command, args, ports })
    } catch (error) {
      ports.release()
      throw error
    }
    return {
      process: prepared.process,
      note: ports.text,
      go: async () => await prepared.go().finally(ports.release),
      abandon: async () => await prepared.abandon().finally(ports.release),
    }
  }

  async #prepareWith(
    run: EngineRun,
    options: PrepareOptions,
    { command, args, ports }: CommandLine & { readonly ports: TakenPorts },
  ): Promise<PreparedRun> {
    const env = { PATH: this.#searchPath, ...jobEnvironment(run), ...ports.environment }
    const program = this.#resolve(command, run.work.rootDir, env.PATH)
    if (program === undefined) {
      const where = command.includes('/')
        ? 'is not an executable file'
        : `was not found in PATH (${env.PATH})`
      return failedStart(`exec: the command ${JSON.stringify(command)} ${where}`)
    }
    const { Network } = run.task
    const ownNetwork = Network !== undefined && wantsOwnNetwork(Network)
    const enter = ownNetwork ? await this.#findOwnNetwork() : null
    if (ownNetwork && enter === null) return failedStart(`exec: ${NO_NETWORK}`)
    const line = enter === null ? { command: program, args } : enter({ command: program, args }, env)
    const { memoryBytes, cpus, outputBytes, timeMs, logBytes } = run.limits
    const kept = this.keeper.prepare(
      {
        kind: 'program',
        executionId: run.executionId,
        attempt: run.attempt,
        workDir: run.work.workDir,
        command: line.command,
        args: line.args,
        dataBytes: memoryBytes === null ? null : memoryBytes * 2 + DATA_SLACK_BYTES,
        env,
        cwd: run.work.rootDir,
        timeMs,
        graceMs: this.#graceMs,
        memoryBytes,
        logBytes,
        outputBytes,
        isolation: this.#isolation,
        cpus,
        sharing: this.#freshNamespace ? null : run.job.namespace,
        maxProcesses: this.#maxProcesses,
      },
      options.signal,
    )
    return {
      process: kept.process,
      go: async () => outcomeOf(run.work.workDir, await kept.go()),
      abandon: () => Promise.resolve(),
    }
  }

  #resolve(command: string, rootDir: string, searchPath: string): string | undefined {
    const candidates = command.includes('/')
      ? [resolve(rootDir, command)]
      : searchPath.split(delimiter).map((directory) => join(directory, command))
    return candidates.find(isProgram)
  }
}
