export { type LmdbKvOptions, type LmdbNotice, openLmdbKv } from './opening.ts'
