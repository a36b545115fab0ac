import type { Setting } from '../setting.ts'
import { amount, duration, flag, size } from '../value.ts'

/** Whether a start looks for what a rewrite would give back. */
export const rewriteAtStart: Setting<boolean> = {
  key: 'Compaction.Rewrite.AtStart',
  description: 'Whether a store with much dead space is rewritten soon after the node has started.',
  form: 'boolean',
  fallback: true,
  schema: flag(),
}

/** How often a running node looks. */
export const rewriteEvery: Setting<number> = {
  key: 'Compaction.Rewrite.Every',
  description:
    'How often the node looks whether a store has much dead space, and rewrites it then. 0: never.',
  form: 'duration',
  fallback: '24h',
  // Node's timers take no more than 2^31-1 milliseconds.
  schema: duration({ maxMs: 2_147_483_647 }),
}

/** How much dead space is much. */
export const rewriteDeadShare: Setting<number> = {
  key: 'Compaction.Rewrite.DeadShare',
  description:
    'The share of a store file, from 0 to 1, that free pages may take before it is rewritten at the start or on the schedule.',
  form: 'number',
  fallback: 0.5,
  schema: amount(0, 1),
}

/** Which files are too small to matter. */
export const rewriteMinSize: Setting<number> = {
  key: 'Compaction.Rewrite.MinSize',
  description: 'The dead space below which a store is not rewritten at the start or on the schedule.',
  form: 'size',
  fallback: '64MiB',
  schema: size(),
}
