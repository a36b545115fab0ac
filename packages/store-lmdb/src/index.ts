export { type LmdbStoreOptions, openLmdbExecutionStore, openLmdbJobStore } from './open/open-stores.ts'
export { openLmdbKv, probeLmdbStore } from './open/opening.ts'
export type { LmdbKvOptions, LmdbNotice } from './open/opening-options.ts'
export { findLmdbOwner, freeLmdbPlace, type LmdbOwner } from './open/store-owner.ts'
