import { setting } from '../setting.ts'
import { duration, flag, integer } from '../value.ts'

/** How services and daemons, which should run for ever, are started again when they end. The words are Nomad's. */
export const services = {
  /** What has run for so long is healthy. */
  minHealthyMs: setting({
    key: 'Services.MinHealthyTime',
    description:
      'A service or daemon that has run for so long is healthy: what it did before is forgotten, and job run stops waiting.',
    form: 'duration',
    fallback: '10s',
    schema: duration({ maxMs: 86_400_000 }),
  }),
  /** How many ended executions of a share are kept. */
  keep: setting({
    key: 'Services.KeepExecutions',
    description:
      'How many ended executions of each share of a service or daemon are kept, at least as many as the attempts and interruptions that count; older ones are given up with their history, logs and results, and an entry of the history says how many. Enough to see how it has ended for an hour and more at the longest wait, and few enough for each decision to read.',
    form: 'integer',
    fallback: 100,
    schema: integer(1, 10_000),
  }),
  reschedule: {
    /** The first wait; it doubles. */
    delayMs: setting({
      key: 'Services.Reschedule.Delay',
      description:
        'The wait before a service or daemon that ended is started again; it doubles with each further end before it was healthy.',
      form: 'duration',
      fallback: '1s',
      schema: duration({ minMs: 1 }),
    }),
    maxDelayMs: setting({
      key: 'Services.Reschedule.MaxDelay',
      description: 'The longest wait before a service or daemon is started again.',
      form: 'duration',
      fallback: '1m',
      schema: duration({ minMs: 1 }),
    }),
    unlimited: setting({
      key: 'Services.Reschedule.Unlimited',
      description: 'Start services and daemons again however often they end.',
      form: 'boolean',
      fallback: true,
      schema: flag(),
    }),
    attempts: setting({
      key: 'Services.Reschedule.Attempts',
      description:
        'How often an execution of a service or daemon is started again within the interval before the job fails, where that is not unlimited.',
      form: 'integer',
      fallback: 5,
      schema: integer(0, 1_000),
    }),
    intervalMs: setting({
      key: 'Services.Reschedule.Interval',
      description: 'Ends of a service or daemon that are longer ago do not count as attempts any more.',
      form: 'duration',
      fallback: '1h',
      schema: duration({ minMs: 1000 }),
    }),
  },
}
