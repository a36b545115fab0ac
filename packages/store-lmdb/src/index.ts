export { type LmdbStoreOptions, openLmdbExecutionStore, openLmdbJobStore } from './open/open-stores.ts'
export { type LmdbKvOptions, type LmdbNotice, openLmdbKv, probeLmdbStore } from './open/opening.ts'
export { findLmdbOwner, freeLmdbPlace, type LmdbOwner } from './open/store-owner.ts'
