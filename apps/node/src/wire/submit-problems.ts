import { type Problem, placeOf, problemLine, readBySchema } from '../spec/problem.ts'
import { jobProblems } from './job-rules.ts'
import { type SubmitInput, submitSchema } from './submit-schema.ts'
import { unfitTask, wrongParameters } from './task-parameters.ts'
import { unknownTypes } from './task-types.ts'

type Path = readonly PropertyKey[]

/** A submit as far as it can be read, with all that is wrong with it. */
export interface ReadSubmit {
  /** What is of a wrong form counts as absent; `null` where nothing could be read. */
  readonly input: SubmitInput | null
  /** A line each, in the order in which the client wrote the parts; empty where all is well. */
  readonly lines: readonly string[]
}

interface Told {
  readonly path: Path
  readonly line: string
}

/** A field of an object: how many are before it, and what it is. */
interface Field {
  readonly index: number
  readonly inner: unknown
}

/** The parts of a task that have to fit each other. */
const FITTED: ReadonlySet<PropertyKey> = new Set(['Engine', 'InputSources', 'Network', 'ResultPaths'])

/** What takes the place of an item of a list that is of a wrong form, so that the others keep their numbers. */
const STAND_INS: readonly unknown[] = [{}, '']

/**
 * Looks for all that is wrong with a submit whose keys are spelled as they should be: its form, its sense, and the
 * parameters of its task. A part of a wrong form hides nothing that is wrong with the others. `clashes` are the
 * objects that have a key twice.
 */
export function readWholeSubmit(spelled: object, clashes: readonly Problem[]): ReadSubmit {
  const { input, problems } = readForm(spelled)
  const formal = [...clashes, ...problems].map(toldWithPlace)
  const told = input === null ? formal : formal.concat(readFurther(input, problems))
  if (told.length === 0) return { input, lines: [] }
  return { input, lines: inOrderOf(spelled, told).map(({ line }) => line) }
}

function toldWithPlace(problem: Problem): Told {
  return { path: problem.path, line: problemLine(problem) }
}

/** Lists what is wrong with a submit besides its form; `problems` are those of the form. */
function readFurther({ Job }: SubmitInput, problems: readonly Problem[]): readonly Told[] {
  const wrong = new Set(problems.flatMap(({ path }) => [placeOf(path), ...listOfWords(path)]))
  const rules = jobProblems(Job).map(({ path, message }): Told => ({ path: ['Job', ...path], line: message }))
  const parameters = Job.Tasks.flatMap((task, index) => {
    const path = ['Job', 'Tasks', index]
    return [...unknownTypes(task, path), ...wrongParameters(task, path)]
  })
  const told = rules.concat(parameters.map(toldWithPlace)).filter(({ path }) => !followsFrom(path, wrong))
  // These are only put beside each other where each is right.
  const unsure = [...told, ...problems].some(({ path }) => path.some((part) => FITTED.has(part)))
  const unfit = Job.Tasks.flatMap((task, index) => (unsure ? [] : unfitTask(task, ['Job', 'Tasks', index])))
  return told.concat(unfit.map(toldWithPlace))
}

/** Reads a submit, without what is of a wrong form. */
function readForm(spelled: object): {
  readonly input: SubmitInput | null
  readonly problems: readonly Problem[]
} {
  const read = readBySchema(submitSchema, spelled)
  if ('data' in read) return { input: read.data, problems: [] }
  const rest = structuredClone(spelled)
  let wrong = read.problems
  for (const standIn of [...STAND_INS, undefined]) {
    for (const { path } of wrong) takeOut(rest, path, standIn)
    const again = readBySchema(submitSchema, rest)
    if ('data' in again) return { input: again.data, problems: read.problems }
    wrong = again.problems
  }
  return { input: null, problems: read.problems }
}

/** Takes a part out of a value; an item of a list is replaced, or else the list goes with it. */
function takeOut(value: object, path: Path, standIn: unknown): void {
  let holder: unknown = value
  for (const [depth, key] of path.entries()) {
    if (typeof holder !== 'object' || holder === null || !Object.hasOwn(holder, key)) return
    const isLast = depth === path.length - 1
    const inner: unknown = Reflect.get(holder, key)
    const goesWithItem = standIn === undefined && depth === path.length - 2 && Array.isArray(inner)
    if (isLast && Array.isArray(holder)) Reflect.set(holder, key, standIn)
    else if (isLast || goesWithItem) Reflect.deleteProperty(holder, key)
    if (goesWithItem) return
    holder = inner
  }
}

/** Of the values of a constraint, what one of them is tells about all. */
function listOfWords(path: Path): readonly string[] {
  return path.at(-2) === 'Values' ? [placeOf(path.slice(0, -1))] : []
}

/** Tells whether something would not be wrong, or nobody could tell, if what is of a wrong form were right. */
function followsFrom(path: Path, wrong: ReadonlySet<string>): boolean {
  const network = path.indexOf('Network')
  if (network >= 0 && wrong.has(placeOf([...path.slice(0, network + 1), 'Type']))) return true
  return path.some((_, index) => wrong.has(placeOf(path.slice(0, index + 1))))
}

/**
 * Sorts by where in a value something stands; what is missing there comes last in its object, and what is said of the
 * whole after what is said of its parts.
 */
function inOrderOf(value: object, told: readonly Told[]): readonly Told[] {
  const orders = new Map<object, ReadonlyMap<string, Field>>()
  const fieldsOf = (holder: object): ReadonlyMap<string, Field> => {
    const known = orders.get(holder)
    if (known !== undefined) return known
    const fields = Object.entries(holder).map(([key, inner], index): [string, Field] => [
      key.toLowerCase(),
      { index, inner },
    ])
    const order = new Map(fields)
    orders.set(holder, order)
    return order
  }
  const placed = told.map((one) => {
    let holder: unknown = value
    const place = partsOf(one.path).map((part) => {
      const isObject = typeof holder === 'object' && holder !== null
      const field = isObject ? fieldsOf(holder as object).get(part.toLowerCase()) : undefined
      holder = field?.inner
      return field?.index ?? Number.POSITIVE_INFINITY
    })
    return { one, place }
  })
  return placed.sort((a, b) => comparePlaces(a.place, b.place)).map(({ one }) => one)
}

/** Some places are one word already. */
function partsOf(path: Path): readonly string[] {
  return path.length === 1
    ? String(path[0])
        .split(/\.|\[|\]\.?/)
        .filter((part) => part !== '')
    : path.map(String)
}

function comparePlaces(a: readonly number[], b: readonly number[]): number {
  for (const [index, part] of a.entries()) {
    const other = b[index]
    if (other === undefined) return -1
    if (part !== other) return part - other
  }
  return b.length - a.length
}
