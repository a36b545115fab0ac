export { type BoltFile, type BoltFileOptions, type BoltInfo, isBoltFile, openBoltFile } from './bolt-file.ts'
export type { BoltBucket, BoltDamage, BoltKey, BoltRange, BoltRow } from './tree/bolt-bucket.ts'
export type { BoltSnapshot } from './tree/bolt-snapshot.ts'
export type { BoltPiece, BoltPieceOptions, BoltVisit } from './tree/read-piece.ts'
