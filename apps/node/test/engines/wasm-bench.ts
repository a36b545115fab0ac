import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { InputSource, SpecConfig, Task } from '@saltcod/bacalhau-records'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { Keeper } from '../../src/compute/keeper/keeper.ts'
import type { EngineOutcome } from '../../src/compute/keeper/outcome.ts'
import type { EngineRun, RunLimits } from '../../src/engines/engine.ts'
import { inputsOf } from '../../src/engines/kinds.ts'
import { WasmEngine } from '../../src/engines/wasm/wasm-engine.ts'
import { DEFAULT_INPUT_POLICY } from '../../src/inputs/input-policy.ts'
import { stageWork } from '../../src/inputs/stage.ts'
import type { ExecutionWork } from '../../src/inputs/work.ts'
import { WIDE_LIMITS, wholeTask } from '../compute/work-bench.ts'
import { guest, type Text } from './guest.ts'

/** One for all runs of a file, so that guests follow each other as they do in a node. */
const keeper = new Keeper()
let runs = 0

/** What a run of {@link WasmBench} has beside the usual. */
export interface WasmCase {
  readonly params?: SpecConfig['Params']
  readonly env?: Record<string, string>
  readonly inputs?: readonly InputSource[]
  readonly limits?: Partial<RunLimits>
}

/** An inline input. */
export function inline(bytes: Buffer | string, target: string): InputSource {
  const url = `data:;base64,${Buffer.from(bytes).toString('base64')}`
  return { Source: { Type: 'inline', Params: { URL: url } }, Alias: '', Target: target }
}

/**
 * A place to run guests in: the module at `/wasm/entry.wasm`, a text at `/inputs/text.txt`, one result path
 * `/outputs/counts`.
 */
export class WasmBench {
  readonly engine: WasmEngine = new WasmEngine({ keeper })
  readonly directory: string = temporaryDirectory()
  readonly stopper: AbortController = new AbortController()

  async stage(task: Task): Promise<ExecutionWork> {
    return await stageWork({
      workDir: join(this.directory, 'work'),
      inputs: inputsOf(task),
      results: task.ResultPaths,
      policy: { ...DEFAULT_INPUT_POLICY, allowedPaths: [this.directory] },
      signal: this.stopper.signal,
    })
  }

  async stagedRun(module: Buffer, options: WasmCase = {}): Promise<EngineRun> {
    const { params = {}, env = {}, inputs = [], limits = {} } = options
    const task = wholeTask({
      Engine: { Type: 'wasm', Params: { EntryModule: '/wasm/entry.wasm', ...params } },
      Env: env,
      InputSources: [
        inline(module, '/wasm/entry.wasm'),
        inline('text of the input', '/inputs/text.txt'),
        ...inputs,
      ],
      ResultPaths: [{ Name: 'counts', Path: '/outputs/counts' }],
    })
    runs += 1
    return {
      executionId: `e-wasm-${process.pid}-${runs}`,
      attempt: 1,
      job: { id: 'j-test', namespace: 'default', type: 'batch' },
      task,
      work: await this.stage(task),
      limits: { ...WIDE_LIMITS, ...limits },
      environment: {},
    }
  }

  async run(module: Buffer, options: WasmCase = {}): Promise<EngineOutcome> {
    return await this.runStaged(await this.stagedRun(module, options))
  }

  async runStaged(staged: EngineRun): Promise<EngineOutcome> {
    return await (await this.engine.prepare(staged, { signal: this.stopper.signal })).go()
  }

  /** Runs a guest made of the body of its entrypoint. */
  async runGuest(body: (text: Text) => string, options: WasmCase = {}): Promise<EngineOutcome> {
    return await this.run(guest(body), options)
  }

  /** Reads a file of the guest's file system as the host sees it. */
  hostFile(path: string): string {
    return readFileSync(join(this.directory, 'work/root', path), 'utf8')
  }
}
