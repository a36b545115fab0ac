import { z } from 'zod'
import { local } from '../local/local.ts'
import type { PublisherKind } from '../publisher-kind.ts'

/** Asks for nothing to be published; the result paths of a task are kept all the same. */
export const noop: PublisherKind = {
  type: 'noop',
  parameters: z.object({}),
  always: false,
  load: local.load,
}
