import { nearestName } from '@saltcod/config'
import { z } from 'zod'
import type { Problem } from './problem.ts'

/** Which keys an object has: a nested object, a list of them, or anything (`null`) that is left as it is. */
export interface KeyShape {
  readonly [key: string]: KeyShape | readonly [KeyShape] | null
}

/** Returns which keys a schema of an object reads. Throws `TypeError` for a schema of anything else. */
export function keysOf(schema: z.ZodType): KeyShape {
  const shape = shapeOf(schema)
  if (shape === null || isListShape(shape)) throw new TypeError('a schema of something without keys')
  return shape
}

function shapeOf(schema: z.core.$ZodType): KeyShape[string] {
  if (schema instanceof z.ZodObject) {
    return Object.fromEntries(Object.entries(schema.shape).map(([key, field]) => [key, shapeOf(field)]))
  }
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable) return shapeOf(schema.unwrap())
  // What is read first is what people write, but for a preparation, which has no shape.
  if (schema instanceof z.ZodPipe)
    return shapeOf(schema.in instanceof z.ZodTransform ? schema.out : schema.in)
  if (!(schema instanceof z.ZodArray)) return null
  const item = shapeOf(schema.element)
  return item === null || isListShape(item) ? null : [item]
}

/** A value whose keys are spelled as in a shape. */
export interface Spelled {
  readonly value: unknown
  /** The keys that were left out. */
  readonly unknownKeys: readonly UnknownKey[]
  /** The objects that have a key in more than one spelling. */
  readonly clashes: readonly Problem[]
}

/** A key that nothing reads. */
export interface UnknownKey {
  /** Where it stands, such as `Job.Tasks[0].Nome`. */
  readonly path: string
  /** What may have been meant, where a key that is read is near. */
  readonly near?: string
}

/** What other formats, and other engines, call a key. */
const OTHER_WORDS: ReadonlyMap<string, readonly string[]> = new Map([
  ['args', ['Arguments', 'Parameters']],
  ['arguments', ['Parameters']],
  ['cmd', ['Command']],
  ['command', ['Entrypoint']],
  ['entrypoint', ['Command']],
  ['environment', ['Env', 'EnvironmentVariables']],
  ['env', ['EnvironmentVariables']],
  ['environmentvariables', ['Env']],
  ['inputs', ['InputSources']],
  ['outputs', ['ResultPaths']],
  ['parameters', ['Arguments']],
])

/** Returns a key that nothing reads, of an object of a shape. */
export function unknownKey(path: string, key: string, shape: KeyShape): UnknownKey {
  const near = meantBy(key, shape)
  return near === undefined ? { path } : { path, near }
}

function meantBy(key: string, shape: KeyShape): string | undefined {
  const known = Object.keys(shape)
  const others = OTHER_WORDS.get(key.toLowerCase()) ?? []
  return (
    nearestName(key, known) ??
    others.find((other) => known.includes(other)) ??
    // One level too high: a part of the task beside it, a parameter of the engine beside its type.
    Object.entries(shape).flatMap(([name, inner]) => below(name, inner, key))[0] ??
    ('Params' in shape ? `Params.${key}` : undefined)
  )
}

function below(name: string, inner: KeyShape[string], key: string): readonly string[] {
  if (inner === null || inner === undefined) return []
  const near = nearestName(key, Object.keys(isListShape(inner) ? inner[0] : inner), 1)
  return near === undefined ? [] : [`${name}${isListShape(inner) ? '[0]' : ''}.${near}`]
}

/**
 * Returns a copy of `value` with its keys spelled as in `shape`, whatever their case was. Keys that the shape does not
 * know are left out and named; where two spellings meet, the later one counts, and they are named too. What is not an
 * object is returned as it is.
 */
export function spellKeys(value: unknown, shape: KeyShape): Spelled {
  const found: Found = { unknownKeys: [], clashes: [] }
  return { value: spellObject(value, shape, '', found), ...found }
}

interface Found {
  readonly unknownKeys: UnknownKey[]
  readonly clashes: Problem[]
}

function spellObject(value: unknown, shape: KeyShape, path: string, found: Found): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const known = Object.keys(shape)
  const spelling = new Map(known.map((key) => [key.toLowerCase(), key]))
  const spelled: Record<string, unknown> = {}
  const written = new Map<string, string>()
  for (const [key, inner] of Object.entries(value)) {
    const name = spelling.get(key.toLowerCase())
    const innerShape = name === undefined ? undefined : shape[name]
    const innerPath = `${path}${path === '' ? '' : '.'}${name ?? key}`
    const earlier = name === undefined ? undefined : written.get(name)
    if (earlier !== undefined) {
      found.clashes.push({
        path: path === '' ? [] : [path],
        message: `has ${earlier} and ${key}, which are one key; keep one of them`,
      })
    }
    if (name !== undefined) written.set(name, key)
    if (name === undefined || innerShape === undefined) {
      found.unknownKeys.push(unknownKey(innerPath, key, shape))
    } else if (innerShape === null) spelled[name] = inner
    else if (!isListShape(innerShape)) spelled[name] = spellObject(inner, innerShape, innerPath, found)
    else if (!Array.isArray(inner)) spelled[name] = inner
    else {
      const [itemShape] = innerShape
      spelled[name] = inner.map((item, index) =>
        spellObject(item, itemShape, `${innerPath}[${index}]`, found),
      )
    }
  }
  return spelled
}

function isListShape(shape: KeyShape | readonly [KeyShape]): shape is readonly [KeyShape] {
  return Array.isArray(shape)
}
