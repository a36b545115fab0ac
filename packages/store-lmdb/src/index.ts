export { type LmdbStoreOptions, openLmdbExecutionStore, openLmdbJobStore } from './open-stores.ts'
export { type LmdbKvOptions, type LmdbNotice, openLmdbKv } from './opening.ts'
export type { OwnerState, PreviousOwner } from './owner-lock.ts'
export { findLmdbOwner } from './store-owner.ts'
