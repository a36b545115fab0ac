import type { SpecConfig } from '@saltcod/bacalhau-records'
import { z } from 'zod'
import { keysOf, spellKeys, type UnknownKey } from './loose-keys.ts'
import { type Problem, problemLine, type Read, readBySchema } from './problem.ts'

/** What an engine, an input source or a publisher declares of itself, for all who read jobs. */
export interface Declaration<Params> {
  /** The `Type` by which a job names it; its case does not matter. */
  readonly type: string
  /** Its parameters. Whoever writes them may spell their names in any case, and null is absent. */
  readonly parameters: z.ZodType<Params>
}

/** Reads parameters as they are declared, or lists what is wrong with them. */
export function readParameters<Params>(
  { parameters }: Declaration<Params>,
  given: SpecConfig['Params'],
): Read<Params> {
  return readBySchema(parameters, spellKeys(given, keysOf(parameters)).value)
}

/** Lists what is wrong with parameters; empty where all is well. */
export function parameterProblems(
  declaration: Declaration<unknown>,
  given: SpecConfig['Params'],
): readonly Problem[] {
  const read = readParameters(declaration, given)
  return 'problems' in read ? read.problems : []
}

/** Writes what is wrong with parameters, one line for each problem. */
export function parameterLines(
  declaration: Declaration<unknown>,
  given: SpecConfig['Params'],
): readonly string[] {
  return parameterProblems(declaration, given).map(
    (problem) => `${declaration.type}: ${problemLine(problem)}`,
  )
}

/** Lists the parameters that are given and not declared. */
export function unknownParameters(
  { parameters }: Declaration<unknown>,
  given: SpecConfig['Params'],
): readonly UnknownKey[] {
  return spellKeys(given, keysOf(parameters)).unknownKeys
}

/** Lists the parameters that are given in more than one spelling of their names. */
export function clashingParameters(
  { parameters }: Declaration<unknown>,
  given: SpecConfig['Params'],
): readonly Problem[] {
  return spellKeys(given, keysOf(parameters)).clashes
}

const NO_NUL = /^[^\0]*$/
const NUL_MESSAGE = 'must not hold a NUL character'

/** A text, or nothing. */
export const optionalText = z.string().regex(NO_NUL, NUL_MESSAGE).nullish()

/** A list of texts; without items where it is absent. */
export const texts = z
  .array(z.string().regex(NO_NUL, NUL_MESSAGE), { error: 'must be a list of texts' })
  .nullish()
  .transform((given): readonly string[] => given ?? [])

/** A text that must be there; `hint` says what to give. */
export function requiredText(hint: string) {
  const missing = `is missing; ${hint}`
  return z
    .string({ error: ({ input }) => ((input ?? null) === null ? missing : 'must be a text') })
    .regex(/\S/, missing)
    .regex(NO_NUL, NUL_MESSAGE)
}

/** A whole number within two bounds, or nothing. */
export function optionalInteger(min: number, max: number) {
  const error = `must be a whole number from ${min} to ${max}`
  return z.int({ error }).min(min, { error }).max(max, { error }).nullish()
}
