import { z } from 'zod'
import type { Setting } from '../setting.ts'
import { duration, isNot } from '../value.ts'

/** A span of time in milliseconds, or that the time never comes. */
export type FoldAfter = number | 'never'

/** When finished records become small. */
export const foldAfter: Setting<FoldAfter> = {
  key: 'Compaction.Fold.After',
  description:
    'How long after its end a job, or an execution, is kept as one compressed record, which nothing but its size tells. never: not at all.',
  form: 'duration',
  fallback: '1h',
  schema: z.union([z.literal('never'), duration()], {
    error: isNot('a duration', "write it like '30m', '1h' or '7d', or never"),
  }),
}
