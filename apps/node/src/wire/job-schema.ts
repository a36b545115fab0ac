import type { Json, TextMap } from '@saltcod/store-core'
import { z } from 'zod'
import type { Task } from '../spec/job-spec.ts'
import { NETWORK_TYPES } from '../spec/job-spec.ts'

// Clients written in Go send null for what is empty, so every field may be null.

const text = z
  .string()
  .nullish()
  .transform((value) => value ?? '')
const trimmed = text.transform((value) => value.trim())
const wholeNumber = z.int({
  error: ({ code }) => (code === 'invalid_type' ? 'must be a whole number' : undefined),
})
const whole = wholeNumber.nullish().transform((value) => value ?? 0)
const textMap = mapOf(z.string())

/** Reads an object with any keys. As a `Map` in between, since z.record() leaves `__proto__` out without a word. */
function mapOf<T extends z.ZodType>(item: T) {
  return z
    .preprocess(entriesOf, z.map(z.string(), item).nullish())
    .transform((value): Record<string, z.output<T>> => Object.fromEntries(value ?? []))
}

function entriesOf(value: unknown): unknown {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  return isObject ? new Map(Object.entries(value)) : value
}

function listOf<T extends z.ZodType>(item: T) {
  return z
    .array(item)
    .nullish()
    .transform((value) => value ?? [])
}

// It came as JSON, so there is nothing to check; z.json() would make it anew and lose keys such as __proto__.
const json = z.unknown() as z.ZodType<Json>

const specConfig = z
  .object({
    Type: trimmed,
    Params: mapOf(json),
  })
  .nullish()
  .transform((value) => value ?? { Type: '', Params: {} })

const quantity = z
  .union([z.string(), z.number()])
  .nullish()
  .transform((value) =>
    String(value ?? '')
      .toLowerCase()
      .replaceAll(/\s/g, ''),
  )

const resources = z
  .object({ CPU: quantity, Memory: quantity, Disk: quantity, GPU: quantity })
  .nullish()
  .transform((value) => value ?? { CPU: '', Memory: '', Disk: '', GPU: '' })

const networkType = text.transform((value, context) => {
  const wanted = value === '' ? 'default' : value.toLowerCase()
  const found = NETWORK_TYPES.find((type) => type.toLowerCase() === wanted)
  if (found !== undefined) return found
  context.addIssue({
    code: 'custom',
    message: `invalid network type "${value}", it is one of ${NETWORK_TYPES.join(', ')}`,
  })
  return z.NEVER
})

const network = z
  .object({
    Type: networkType,
    Domains: listOf(z.string().transform((domain) => domain.trim().toLowerCase())),
    Ports: listOf(z.object({ Name: trimmed, Static: whole, Target: whole, HostNetwork: trimmed })),
  })
  .nullish()
  .transform((value) => value ?? { Type: 'Default' as const, Domains: [], Ports: [] })

const timeouts = z
  .object({ ExecutionTimeout: whole, QueueTimeout: whole, TotalTimeout: whole })
  .nullish()
  .transform((value) => value ?? { ExecutionTimeout: 0, QueueTimeout: 0, TotalTimeout: 0 })

const task = z.object({
  Name: trimmed,
  Engine: specConfig,
  Publisher: specConfig,
  Env: textMap,
  Meta: textMap,
  InputSources: listOf(z.object({ Source: specConfig, Alias: trimmed, Target: trimmed })),
  ResultPaths: listOf(z.object({ Name: trimmed, Path: trimmed })),
  Resources: resources,
  Network: network,
  Timeouts: timeouts,
})

const job = z.object({
  ID: trimmed,
  Name: trimmed,
  Namespace: trimmed,
  Type: text.transform((value) => value.trim().toLowerCase()),
  Priority: whole,
  Count: wholeNumber.nullish(),
  Constraints: listOf(z.object({ Key: text, Operator: trimmed, Values: listOf(z.string()) })),
  Meta: textMap,
  Labels: textMap,
  Tasks: listOf(task),
  State: z
    .object({ StateType: z.union([z.string(), z.number()]).nullish() })
    .nullish()
    .transform((value) => value?.StateType ?? ''),
  Version: whole,
  Revision: whole,
  CreateTime: z.number().nullish(),
  ModifyTime: z.number().nullish(),
})

/** A job as a client sent it, with every absent field filled in and not yet checked for sense. */
export interface JobInput {
  readonly ID: string
  readonly Name: string
  readonly Namespace: string
  /** In lower case. */
  readonly Type: string
  readonly Priority: number
  readonly Count?: number | null | undefined
  readonly Constraints: readonly {
    readonly Key: string
    readonly Operator: string
    readonly Values: readonly string[]
  }[]
  readonly Meta: TextMap
  readonly Labels: TextMap
  readonly Tasks: readonly Task[]
  readonly State: string | number
  readonly Version: number
  readonly Revision: number
  readonly CreateTime?: number | null | undefined
  readonly ModifyTime?: number | null | undefined
}

/** The envelope of a submit. */
export interface SubmitInput {
  readonly IdempotencyToken: string
  readonly Force: boolean
  readonly Job: JobInput
}

/** Reads the envelope of a submit whose keys are spelled as in `SUBMIT_KEYS`. */
export const submitSchema: z.ZodType<SubmitInput> = z.object({
  IdempotencyToken: text,
  Force: z
    .boolean()
    .nullish()
    .transform((value) => value ?? false),
  Job: job,
})
