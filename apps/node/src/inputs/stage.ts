import { mkdirSync } from 'node:fs'
import { lstat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type InputSource, type ResultPath, resultFolder } from '@saltcod/bacalhau-records'
import { CopyBudget } from '../compute/files/copy-budget.ts'
import { makeFreshDirectory, makeJobDirectory } from '../compute/files/directories.ts'
import { isTaskError, TaskError } from '../compute/task-error.ts'
import { readParameters } from '../spec/parameters.ts'
import { problemLine } from '../spec/problem.ts'
import type { InputFetch } from './input-fetcher.ts'
import type { InputKind } from './input-kind.ts'
import type { InputPolicy } from './input-policy.ts'
import type { KeptInputs, KeptTree } from './kept-inputs.ts'
import { inputKind } from './kinds.ts'
import { mountPath } from './mount-path.ts'
import { inputName, inputPath, placementProblems } from './placement.ts'
import { type ExecutionWork, rootOf, type StagedInput, type StagedResult } from './work.ts'

/** What {@link stageWork} puts where. */
export interface StageOptions {
  /** The private directory of the execution; what an earlier attempt left in it is removed. */
  readonly workDir: string
  /** All that the task needs, also what the parameters of its engine bring along. */
  readonly inputs: readonly InputSource[]
  readonly results: readonly ResultPath[]
  readonly policy: InputPolicy
  /** Where directories of inputs are that jobs share. Default: none is shared. */
  readonly kept?: KeptInputs<readonly StagedInput[]>
  /** True for a job that cannot change its inputs. Default false. */
  readonly shares?: boolean
  /** False for a run that looks at no file: it gets a directory only with inputs or results. Default true. */
  readonly needsDirectory?: boolean
  /** Aborted: rejects with the signal's reason. */
  readonly signal: AbortSignal
}

async function stageInput(
  options: StageOptions,
  rootDir: string,
  budget: CopyBudget,
  input: InputSource,
  index: number,
): Promise<StagedInput> {
  const { policy, signal } = options
  const name = inputName(input, index)
  const fail: InputFetch['fail'] = (code, what, cause) => new TaskError(code, `${name} ${what}`, { cause })
  const target = inputPath(input)
  const hostPath = join(rootDir, target)
  const odd = (_parent: unknown, _name: string, path: string, reason: string): never => {
    throw fail('INPUT_DENIED', `${JSON.stringify(path)} ${reason}`)
  }
  const kind = inputKind(input.Source.Type)
  if (kind === undefined) throw fail('INPUT_INVALID', 'is of a type that is not offered')
  const read = readParameters(kind, input.Source.Params)
  if ('problems' in read) {
    throw fail('INPUT_INVALID', `cannot be brought in: ${read.problems.map(problemLine).join('; ')}`)
  }
  try {
    await makeJobDirectory(dirname(hostPath))
    const copy = { budget, durable: false, signal, odd }
    const fetcher = await kind.load()
    const fetched = await fetcher.fetch({ params: read.data, hostPath, policy, copy, signal, fail })
    return { target, alias: input.Alias, hostPath, kind: fetched }
  } catch (error) {
    if (isTaskError(error) || signal.aborted) throw error
    const what = error instanceof Error ? error.message : String(error)
    throw fail('INPUT_FAILED', `could not be put in place: ${what}`, error)
  }
}

/** Where a result path of a task lies in a work directory. */
function resultDirectory(workDir: string, result: ResultPath): string {
  return join(rootOf(workDir), mountPath(result.Path))
}

async function makeResult(workDir: string, result: ResultPath): Promise<StagedResult> {
  const hostPath = resultDirectory(workDir, result)
  await makeJobDirectory(hostPath)
  return { name: resultFolder(result.Name), path: mountPath(result.Path), hostPath }
}

/** A last look, since a link in a job's directory would lead a guest out of it. */
async function proveNoLinks(inputs: readonly StagedInput[]): Promise<void> {
  for (const { hostPath, kind } of inputs) {
    const status = await lstat(hostPath)
    const right = kind === 'file' ? status.isFile() : status.isDirectory()
    if (!right)
      throw new TaskError('INPUT_FAILED', `the input at ${hostPath} is not the ${kind} that was put there`)
  }
}

/** Puts all inputs of a task into an empty directory, and proves that nothing else was put there meanwhile. */
async function stageInputs(options: StageOptions, rootDir: string): Promise<readonly StagedInput[]> {
  const { inputs, policy, signal } = options
  const budget = new CopyBudget(
    policy.maxBytes,
    policy.maxEntries,
    (what) => new TaskError('INPUT_TOO_LARGE', `what the inputs bring in ${what}`),
  )
  const staged: StagedInput[] = []
  for (const [index, input] of inputs.entries()) {
    signal.throwIfAborted()
    staged.push(await stageInput(options, rootDir, budget, input, index))
  }
  await proveNoLinks(staged)
  return staged
}

/** An input whose source says the same to all jobs. */
interface ConstantInput {
  readonly kind: InputKind
  readonly path: string
  readonly params: unknown
}

function constantInput(input: InputSource): ConstantInput | undefined {
  const kind = inputKind(input.Source.Type)
  if (kind?.isConstant !== true) return undefined
  const read = readParameters(kind, input.Source.Params)
  return 'data' in read ? { kind, path: inputPath(input), params: read.data } : undefined
}

/**
 * The directory that jobs with the same inputs share; undefined where there is none, or what they bring along is not
 * all of it.
 */
async function takeKept(options: StageOptions): Promise<KeptTree<readonly StagedInput[]> | undefined> {
  const { inputs, kept } = options
  if (kept === undefined || inputs.length === 0) return undefined
  const constant = inputs.flatMap((input) => constantInput(input) ?? [])
  if (constant.length < inputs.length) return undefined
  const content = constant.map(({ kind, path, params }) => [kind.type, path, params])
  // Not the signal of this run: others may wait for the same directory.
  const signal = new AbortController().signal
  return await kept.take(JSON.stringify(content), {
    make: (rootDir) => stageInputs({ ...options, signal }, rootDir),
    holds: async (staged) => {
      for (const [index, { hostPath }] of staged.entries()) {
        const { kind, params } = constant[index] ?? {}
        const fetcher = await kind?.load()
        if ((await fetcher?.holds?.(hostPath, params)) !== true) return false
      }
      return true
    },
  })
}

/**
 * Makes the private directory of one attempt: an empty root, each input copied to its target, each result directory
 * empty. A job that changes nothing in its root gets one that it shares with others, where they bring the same inputs.
 * Throws a {@link TaskError} whose message names the input; nothing is half-done that matters, since the next attempt
 * begins with an empty directory.
 */
export async function stageWork(options: StageOptions): Promise<ExecutionWork> {
  const { workDir, inputs, results } = options
  const [problem] = placementProblems(inputs, results)
  if (problem !== undefined) throw new TaskError('INPUT_INVALID', problem)
  if (options.needsDirectory === false && inputs.length === 0 && results.length === 0)
    return { workDir, rootDir: rootOf(workDir), inputs: [], results: [], release: () => undefined }
  await makeFreshDirectory(workDir)
  const kept = await takeKept(options)
  if (kept !== undefined && options.shares === true && results.length === 0) {
    return {
      workDir,
      rootDir: kept.directory,
      inputs: aliased(kept.made, inputs),
      results: [],
      release: kept.release,
    }
  }
  const rootDir = rootOf(workDir)
  const staged =
    kept === undefined ? await stageOwn(options, rootDir) : await copyKept(options, kept, rootDir)
  const made: StagedResult[] = []
  for (const result of results) made.push(await makeResult(workDir, result))
  return { workDir, rootDir, inputs: staged, results: made, release: () => undefined }
}

async function stageOwn(options: StageOptions, rootDir: string): Promise<readonly StagedInput[]> {
  mkdirSync(rootDir, { mode: 0o700 })
  return await stageInputs(options, rootDir)
}

async function copyKept(
  { inputs }: StageOptions,
  kept: KeptTree<readonly StagedInput[]>,
  rootDir: string,
): Promise<readonly StagedInput[]> {
  try {
    await kept.copyTo(rootDir)
  } finally {
    kept.release()
  }
  return aliased(kept.made, inputs).map((input) => ({ ...input, hostPath: join(rootDir, input.target) }))
}

/** The content of what is shared is the same; by which names a job imports it is its own. */
function aliased(made: readonly StagedInput[], inputs: readonly InputSource[]): readonly StagedInput[] {
  return made.map((input, index) => ({ ...input, alias: inputs[index]?.Alias ?? '' }))
}
