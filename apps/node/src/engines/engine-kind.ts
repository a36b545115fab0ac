import type { InputSource, NetworkAccess } from '@saltcod/bacalhau-records'
import type { Config } from '@saltcod/config'
import type { Keeper } from '../compute/keeper/keeper.ts'
import type { Declaration } from '../spec/parameters.ts'
import type { Problem } from '../spec/problem.ts'
import type { Engine } from './engine.ts'

/** What a node has for its engines. */
export interface EngineSetup {
  readonly config: Config
  /** Looks after the processes of all engines. */
  readonly keeper: Keeper
  readonly nodeId: string
  /** Where the runs of the node lie. */
  readonly dataDir: string
  /** The environment of the node. */
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** A kind of engine: what a job may say to it, what it needs, and how a node gets one. */
export interface EngineKind<Params = unknown> extends Declaration<Params> {
  /**
   * False where its jobs can change nothing in their root but results, so that they may share their inputs with
   * others.
   */
  readonly writesInputs: boolean
  /** What a task may choose as its network beside `Default`, which is the engine's own. */
  readonly networks: readonly NetworkAccess['Type'][]
  /** True where that is the host's, of which jobs may then have ports. */
  readonly isOnHost: boolean
  /** True where its jobs may have ports on the host's network, and ports of the host led into one of their own. */
  readonly mapsPorts?: boolean
  /** False where its runs are no processes, so that they write no output that could be read while they run. */
  readonly writesOutput: boolean
  /** False where its runs look at no file, so that no directory is made for one without inputs and results. */
  readonly needsDirectory: boolean
  /** Lists the inputs that its parameters bring along; absent where they bring none. */
  inputsOf?(params: Params): readonly InputSource[]
  /** Lists what is wrong with its parameters beside the inputs of a task, whatever the node. */
  problemsOf?(params: Params, inputs: readonly InputSource[]): readonly Problem[]
  /** Makes one. What carries it out is only loaded then, so that whoever just reads jobs does without. */
  load(setup: EngineSetup): Promise<Engine>
}
