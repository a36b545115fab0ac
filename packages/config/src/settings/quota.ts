import { setting } from '../setting.ts'
import { size } from '../value.ts'

/**
 * An empty store holds 8 MiB back: 4 for everybody, and 4 for what ends or frees something. As much again is left for
 * records, where a single large change may need 3.
 */
const MIN_STORE_BYTES = 16 * 1024 * 1024

/** How large stores, specifications and what runs leave may be; a store quota of 0 means that there is none. */
export const quota = {
  storeBytes: setting({
    key: 'Quota.StoreSize',
    description:
      'The largest size of each store file, at least 16MiB; above it new work is refused, and reading and cancelling go on. 0: as much as the disk has.',
    form: 'size',
    fallback: 0,
    schema: size({ minBytes: MIN_STORE_BYTES, orNone: true }),
  }),
  specBytes: setting({
    key: 'Quota.SpecSize',
    description: 'The largest job specification; a larger one is answered with 413.',
    form: 'size',
    fallback: '1MB',
    schema: size({ minBytes: 1024 }),
  }),
  resultBytes: setting({
    key: 'Quota.ResultSize',
    description: 'The most bytes that one execution may leave as results; above it the execution fails.',
    form: 'size',
    fallback: '1GB',
    schema: size({ minBytes: 1 }),
  }),
  outputBytes: setting({
    key: 'Quota.OutputSize',
    description:
      'The most bytes kept of stdout, and of stderr, of one execution; what follows is cut off and said so.',
    form: 'size',
    fallback: '10MB',
    schema: size(),
  }),
}
