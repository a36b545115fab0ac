// For tools that read and write the rows of a store themselves. Not under semver: it changes with the format of the
// data.
export { decodeStoredRecord as decodeRecord } from './fold/folded-record.ts'
export { unfoldedStore } from './fold/unfolded-store.ts'
export { encodeRecord, versionOf } from './kv/envelope.ts'
export type { DecodedPart } from './kv/tuple.ts'
export { decodeId, decodeTuple, idTuple, tuple } from './kv/tuple.ts'
export { checkId } from './model/id.ts'
export type { JobLoad } from './rebuild/job-load.ts'
export type { LoadRow } from './rebuild/loaded-rows.ts'
export { readableRecord, storedRecord } from './rebuild/readable-record.ts'
export type { DroppedRow } from './rebuild/rebuild-run.ts'
export { REBUILT_TABLES, rebuildStore } from './rebuild/rebuild-store.ts'
export {
  type LoadedExecution,
  type LoadStoreOptions,
  type LoadTarget,
  StoreLoader,
} from './rebuild/store-loader.ts'
export type { StoreKind, StoreRow } from './rows/meta.ts'
export { readStoreRow, SCHEMA_VERSION } from './rows/meta.ts'
export { INDEX } from './rows/tables.ts'
