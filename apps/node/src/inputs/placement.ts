import { posix } from 'node:path'
import { type InputSource, type ResultPath, resultFolder } from '@saltcod/bacalhau-records'
import { readParameters } from '../spec/parameters.ts'
import { inputKind } from './kinds.ts'
import { mountPath, mountPathProblem } from './mount-path.ts'

/** The names of results that the layout of published results takes itself. */
const RESERVED_NAMES: ReadonlySet<string> = new Set(['stdout', 'stderr', 'exitCode'])
const LONGEST_NAME = 200

/** Names an input in a message, counted from 1. */
export function inputName(input: InputSource, index: number): string {
  return `input ${index + 1} (${input.Source.Type} at ${input.Target || 'no target'})`
}

/** The path by which a job finds an input: its target, or the file in it that its source names. */
export function inputPath({ Source, Target }: InputSource): string {
  const target = mountPath(Target)
  const kind = inputKind(Source.Type)
  if (kind?.fileName === undefined) return target
  const read = readParameters(kind, Source.Params)
  return posix.join(target, kind.fileName('data' in read ? read.data : undefined))
}

function resultNameProblem(given: string): string | undefined {
  const name = resultFolder(given)
  if (name === '') return 'has no Name'
  if (name.length > LONGEST_NAME) return `has a Name longer than ${LONGEST_NAME} characters`
  if (name.includes('/') || name.includes('\0') || name === '.' || name === '..') {
    return `has the Name ${JSON.stringify(given)}, which cannot name a folder`
  }
  return RESERVED_NAMES.has(name) ? `has the Name ${name}, which the results use themselves` : undefined
}

function clashes(paths: readonly string[]): string[] {
  const sorted = [...paths].sort()
  return sorted.flatMap((path, at) => {
    const next = sorted[at + 1]
    return next !== undefined && (next === path || next.startsWith(`${path}/`)) ? [path] : []
  })
}

/**
 * Lists what is wrong with the places of the inputs and results of a task, whatever the node, one line each: bad paths
 * and names, clashes. Empty when all is well.
 */
export function placementProblems(
  inputs: readonly InputSource[],
  results: readonly ResultPath[],
): readonly string[] {
  const problems: string[] = []
  const inputPaths: string[] = []
  for (const [index, input] of inputs.entries()) {
    const name = inputName(input, index)
    const targetProblem = mountPathProblem(input.Target)
    if (targetProblem !== undefined) problems.push(`${name}: Target ${targetProblem}`)
    else inputPaths.push(inputPath(input))
  }
  const resultPaths: string[] = []
  const resultNames = new Set<string>()
  for (const [index, result] of results.entries()) {
    const nameProblem = resultNameProblem(result.Name)
    if (nameProblem !== undefined) problems.push(`result path ${index + 1} ${nameProblem}`)
    const folder = resultFolder(result.Name)
    if (resultNames.has(folder))
      problems.push(`result path ${index + 1} has the Name of another one, ${folder}`)
    resultNames.add(folder)
    const pathProblem = mountPathProblem(result.Path)
    if (pathProblem !== undefined) problems.push(`result path ${index + 1}: Path ${pathProblem}`)
    else resultPaths.push(mountPath(result.Path))
  }
  for (const path of new Set(inputPaths.filter((path, at) => inputPaths.indexOf(path) !== at))) {
    problems.push(`two inputs have the target ${path}`)
  }
  for (const path of clashes(resultPaths)) problems.push(`two result paths share the directory ${path}`)
  for (const path of resultPaths) {
    const other = inputPaths.find(
      (input) => input === path || input.startsWith(`${path}/`) || path.startsWith(`${input}/`),
    )
    if (other !== undefined) problems.push(`the result path ${path} overlaps the input at ${other}`)
  }
  return problems
}
