import type { Setting } from '../setting.ts'
import { duration, integer, list, size } from '../value.ts'

/** The quota of a store. */
export const quotaStoreSize: Setting<number> = {
  key: 'Quota.StoreSize',
  description:
    'The largest size of each store file; above it new work is refused, and reading and cancelling go on. 0: as much as the disk has.',
  form: 'size',
  fallback: 0,
  schema: size(),
}

/** The limit on a job specification. */
export const quotaSpecSize: Setting<number> = {
  key: 'Quota.SpecSize',
  description: 'The largest job specification; a larger one is answered with 413.',
  form: 'size',
  fallback: '1MB',
  schema: size({ minBytes: 1024 }),
}

/** The limit on the results of an execution. */
export const quotaResultSize: Setting<number> = {
  key: 'Quota.ResultSize',
  description: 'The most bytes that one execution may leave as results; above it the execution fails.',
  form: 'size',
  fallback: '1GB',
  schema: size({ minBytes: 1 }),
}

/** The limit on kept output. */
export const quotaOutputSize: Setting<number> = {
  key: 'Quota.OutputSize',
  description:
    'The most bytes kept of stdout, and of stderr, of one execution; what follows is cut off and said so.',
  form: 'size',
  fallback: '10MB',
  schema: size(),
}

/** How long a lease lasts. */
export const leaseDuration: Setting<number> = {
  key: 'Leases.Duration',
  description: 'How long a worker owns an evaluation before another one may take it.',
  form: 'duration',
  fallback: '1m',
  schema: duration({ minMs: 1000 }),
}

/** How often an evaluation is tried. */
export const leaseMaxAttempts: Setting<number> = {
  key: 'Leases.MaxAttempts',
  description: 'How often an evaluation is tried before it counts as failed.',
  form: 'integer',
  fallback: 10,
  schema: integer(1, 10_000),
}

/** The waits between attempts. */
export const leaseRetryDelays: Setting<number[]> = {
  key: 'Leases.RetryDelays',
  description: 'The waits between the attempts of an evaluation; the last one repeats.',
  form: 'list',
  fallback: ['1s', '5s', '30s'],
  schema: list(duration(), { min: 1 }),
}

/** How long running work may finish at a stop. */
export const gracePeriod: Setting<number> = {
  key: 'GracePeriod',
  description: 'How long running work may go on after SIGTERM before it is interrupted.',
  form: 'duration',
  fallback: '30s',
  // Node's timers take no more than 2^31-1 milliseconds.
  schema: duration({ maxMs: 2_147_483_647 }),
}
