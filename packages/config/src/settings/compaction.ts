import { z } from 'zod'
import { named } from '../complaint.ts'
import { setting } from '../setting.ts'
import { amount, duration, flag, size } from '../value.ts'

/** A span of time in milliseconds, or that the time never comes. */
export type FoldAfter = number | 'never'

/**
 * When finished records become small, and when a store file is rewritten, so that its dead space goes back to the
 * disk.
 */
export const compaction = {
  /** How long after their end records are folded, in milliseconds; `null` for never. */
  foldAfterMs: setting<FoldAfter, number | null>({
    key: 'Compaction.Fold.After',
    description:
      'How long after its end a job, or an execution, is kept as one compressed record, which nothing but its size tells. never: not at all.',
    form: 'duration',
    fallback: '1h',
    schema: named(
      z.union([z.literal('never'), duration()]),
      'a duration',
      "write it like '30m', '1h' or '7d', or never",
    ),
    held: (after) => (after === 'never' ? null : after),
  }),
  rewrite: {
    atStart: setting({
      key: 'Compaction.Rewrite.AtStart',
      description: 'Whether a store with much dead space is rewritten soon after the node has started.',
      form: 'boolean',
      fallback: true,
      schema: flag(),
    }),
    /** How often a running node looks; 0 for never. */
    everyMs: setting({
      key: 'Compaction.Rewrite.Every',
      description:
        'How often the node looks whether a store has much dead space, and rewrites it then. 0: never.',
      form: 'duration',
      fallback: '24h',
      // Node's timers take no more than 2^31-1 milliseconds.
      schema: duration({ maxMs: 2_147_483_647 }),
    }),
    /** The share of dead space above which a store is rewritten, from 0 to 1. */
    deadShare: setting({
      key: 'Compaction.Rewrite.DeadShare',
      description:
        'The share of a store file, from 0 to 1, that free pages may take before it is rewritten at the start or on the schedule.',
      form: 'number',
      fallback: 0.5,
      schema: amount(0, 1),
    }),
    /** The dead space below which it is not. */
    minBytes: setting({
      key: 'Compaction.Rewrite.MinSize',
      description: 'The dead space below which a store is not rewritten at the start or on the schedule.',
      form: 'size',
      fallback: '64MiB',
      schema: size(),
    }),
  },
}
