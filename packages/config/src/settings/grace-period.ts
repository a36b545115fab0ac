import { setting } from '../setting.ts'
import { duration } from '../value.ts'

/** How long running work may finish at a stop. */
export const gracePeriod = setting({
  key: 'GracePeriod',
  description: 'How long running work may go on after SIGTERM before it is interrupted.',
  form: 'duration',
  fallback: '30s',
  // Node's timers take no more than 2^31-1 milliseconds.
  schema: duration({ maxMs: 2_147_483_647 }),
})
