import { setting } from '../setting.ts'
import { duration, integer, list } from '../value.ts'

/** How evaluations are handed out. */
export const leases = {
  durationMs: setting({
    key: 'Leases.Duration',
    description: 'How long an evaluation is left to whoever decides about it before another one may take it.',
    form: 'duration',
    fallback: '1m',
    schema: duration({ minMs: 1000 }),
  }),
  maxAttempts: setting({
    key: 'Leases.MaxAttempts',
    description: 'How often an evaluation is tried before it counts as failed.',
    form: 'integer',
    fallback: 10,
    schema: integer(1, 10_000),
  }),
  /** The waits between attempts; the last one repeats. */
  retryDelaysMs: setting({
    key: 'Leases.RetryDelays',
    description: 'The waits between the attempts of an evaluation; the last one repeats.',
    form: 'list',
    fallback: ['1s', '5s', '30s'],
    schema: list(duration(), { min: 1 }),
  }),
}
