export { type CurrentCommit, findCommit } from './current-commit.ts'
export { DataFile } from './data-file.ts'
export { type FileRow, type FileWalkEvents, type FileWalkResult, walkFile } from './file-walk.ts'
export { type LargeValue, readLargeValue } from './large-value.ts'
export { type Reader, type ReaderTable, readReaders } from './lock-file.ts'
export type { MetaPage, TreeRoot } from './meta-page.ts'
export {
  type BranchNode,
  type LeafNode,
  type PageHeader,
  type PageKind,
  parseHeader,
  parseLeafNode,
} from './tree-page.ts'
export {
  type KeyOrder,
  type LostStretch,
  type PageProblem,
  TreeWalk,
  type WalkEvents,
  type WalkedRow,
} from './tree-walk.ts'
