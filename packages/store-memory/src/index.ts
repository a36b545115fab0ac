export { type MemoryKvOptions, openMemoryKv } from './memory-kv.ts'
