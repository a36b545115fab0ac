export { type LmdbStoreOptions, openLmdbExecutionStore, openLmdbJobStore } from './open-stores.ts'
export { type LmdbKvOptions, type LmdbNotice, openLmdbKv, probeLmdbStore } from './opening.ts'
export { findLmdbOwner, freeLmdbPlace, type LmdbOwner } from './store-owner.ts'
