import { z } from 'zod'
import type { PublisherKind } from '../publisher-kind.ts'

/** Keeps results in the data directory of the node. */
export const local: PublisherKind = {
  type: 'local',
  parameters: z.object({}),
  always: true,
  async load() {
    const { localPublisher } = await import('./local-publisher.ts')
    return localPublisher
  },
}
