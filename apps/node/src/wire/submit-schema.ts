import { flag, jobSchema, text, trimmed, whole } from '@saltcod/bacalhau-records'
import type { Frozen } from '@saltcod/config'
import { z } from 'zod'
import { keysOf } from '../spec/loose-keys.ts'

const answered = z.unknown().optional()

const UNDEFINED: ReadonlySet<string> = new Set(['', '0', 'undefined'])

/** The envelope of a submit. A job may come as it was answered, with what only the requester sets. */
export const submitSchema = z.object({
  /** Where the client works; the job says which namespace is meant. */
  Namespace: answered,
  IdempotencyToken: text,
  Force: flag,
  Job: z.object({
    ID: trimmed,
    ...jobSchema.shape,
    State: z
      .object({
        StateType: z.union([z.string(), z.number()]).nullish(),
        Message: answered,
        Details: answered,
      })
      .nullish()
      // What a client writes that has nothing to say of a state.
      .transform((value) =>
        UNDEFINED.has(String(value?.StateType ?? '').toLowerCase()) ? '' : value?.StateType,
      ),
    Version: whole,
    Revision: whole,
    CreateTime: z.number().nullish(),
    ModifyTime: z.number().nullish(),
  }),
})

/** A submit as a client sent it, with every absent field filled in and not yet checked for sense. */
export type SubmitInput = Frozen<z.output<typeof submitSchema>>

/** The job of a {@link SubmitInput}. */
export type JobInput = SubmitInput['Job']

/** The keys of a submit. */
export const SUBMIT_KEYS = keysOf(submitSchema)
