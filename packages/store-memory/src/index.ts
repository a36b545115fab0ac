export { type MemoryKvOptions, openMemoryKv } from './memory-kv.ts'
export { type MemoryStoreOptions, openMemoryExecutionStore, openMemoryJobStore } from './open-stores.ts'
