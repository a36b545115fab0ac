import { z } from 'zod'
import { unknownName } from './did-you-mean.ts'
import { type Complaint, showGiven } from './problem.ts'

/** What a value is called where another thing was given, and what to do then. */
export interface ValueWords {
  readonly noun: string
  readonly hint: string
}

// Beside the schemas rather than in their messages, which would be texts that have to be taken apart again.
const WORDS = z.registry<ValueWords>()

/** Gives a schema the words for what does not fit it. */
export function named<Schema extends z.ZodType>(schema: Schema, noun: string, hint: string): Schema {
  WORDS.add(schema, { noun, hint })
  return schema
}

/** Says that something else was given, or nothing. */
export function unlike(given: unknown, { noun, hint }: ValueWords): Complaint {
  return { problem: given === undefined ? 'is missing' : `${showGiven(given)} is not ${noun}`, hint }
}

/** An issue that a check of our own adds. */
export type OwnIssue = {
  readonly code: 'custom'
  readonly message: string
  readonly params: Record<string, unknown>
  readonly path: PropertyKey[]
}

/** Makes the issue of a complaint, at a path below the value that is checked. */
export function complain(complaint: Complaint, path: PropertyKey[] = []): OwnIssue {
  return { code: 'custom', message: complaint.problem, params: { ...complaint }, path }
}

/** A complaint, and what it is about. */
export interface PlacedComplaint extends Complaint {
  /** The path of a key that is not known, below its mapping; otherwise that of the value. */
  readonly path: readonly PropertyKey[]
  /** The path of the value, or of the mapping that a key is not known in. */
  readonly place: readonly PropertyKey[]
}

/** Says what is wrong by an issue that a schema has; the issue must hold its input. */
export function complaintsOf(schema: z.ZodType, issue: z.core.$ZodIssue): readonly PlacedComplaint[] {
  const { path } = issue
  if (issue.code === 'custom') return [{ ...(issue.params as unknown as Complaint), path, place: path }]
  const wanted = layersAt(schema, path)
  if (issue.code === 'unrecognized_keys') {
    const shape = wanted.find((layer) => layer instanceof z.ZodObject)?.shape ?? {}
    return issue.keys.map((key) => ({
      ...unknownName(key, Object.keys(shape)),
      path: [...path, key],
      place: path,
    }))
  }
  const words =
    issue.code === 'too_small' && issue.origin === 'array'
      ? { noun: 'enough', hint: 'name at least one' }
      : wanted.map((layer) => WORDS.get(layer)).find((found) => found !== undefined)
  return [
    { ...unlike(issue.input, words ?? { noun: 'possible here', hint: 'correct it' }), path, place: path },
  ]
}

/** The schemas of the value at a path, from the outermost to the innermost. */
function layersAt(schema: z.ZodType, path: readonly PropertyKey[]): readonly z.ZodType[] {
  const layers = layersOf(schema)
  const [step, ...rest] = path
  if (step === undefined) return layers
  for (const layer of layers) {
    const inner = innerOf(layer, step)
    if (inner !== undefined) return layersAt(inner, rest)
  }
  return []
}

function layersOf(schema: z.ZodType): readonly z.ZodType[] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodExactOptional) {
    return [schema, ...layersOf(schema.unwrap() as z.ZodType)]
  }
  if (!(schema instanceof z.ZodPipe)) return [schema]
  const { in: before, out: after } = schema
  return [schema, ...layersOf((before instanceof z.ZodTransform ? after : before) as z.ZodType)]
}

function innerOf(layer: z.ZodType, step: PropertyKey): z.ZodType | undefined {
  if (layer instanceof z.ZodObject) return (layer.shape as Readonly<Record<PropertyKey, z.ZodType>>)[step]
  if (layer instanceof z.ZodArray) return layer.element as z.ZodType
  return layer instanceof z.ZodRecord ? (layer.valueType as z.ZodType) : undefined
}
