import { setting } from '../setting.ts'
import { duration } from '../value.ts'

/** How patient a requester and its compute nodes are with each other. */
export const link = {
  silentAfterMs: setting({
    key: 'Link.SilentAfter',
    description: 'A compute node that its requester has not heard of for so long gets no new work.',
    form: 'duration',
    fallback: '30s',
    schema: duration({ minMs: 100 }),
  }),
  lostAfterMs: setting({
    key: 'Link.LostAfter',
    description:
      'What runs on a compute node that its requester has not heard of for so long is given up, and done elsewhere where it may.',
    form: 'duration',
    fallback: '1m',
    schema: duration({ minMs: 200 }),
  }),
  heartbeatMs: setting({
    key: 'Link.Heartbeat',
    description:
      'How often a compute node tells its requester that it is there and how busy it is; oftener where half of what the requester has in Link.SilentAfter is less.',
    form: 'duration',
    fallback: '15s',
    schema: duration({ minMs: 50, maxMs: 3_600_000 }),
  }),
}
