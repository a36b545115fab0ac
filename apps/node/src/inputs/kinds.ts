import { inline } from './inline/inline.ts'
import type { InputKind } from './input-kind.ts'
import { local } from './local/local.ts'
import { urlDownload } from './url-download/url-download.ts'

/** All input sources that there are. */
export const INPUT_KINDS: readonly InputKind[] = [inline, local, urlDownload]

/** The types by which jobs name them, in lower case. */
export const INPUT_TYPES: readonly string[] = INPUT_KINDS.flatMap((kind) => typesOf(kind))

/** The input sources that a job may name: those, and the ones of Bacalhau's releases, which a node may get yet. */
export const INPUT_NAMES: readonly string[] = [
  ...INPUT_KINDS.flatMap(({ type, aliases = [] }) => [type, ...aliases]),
  's3',
  's3PreSigned',
  'ipfs',
  'repoClone',
  'repoCloneLFS',
  'estuary',
  'noop',
]

/** Finds the kind of input source that a job names; `undefined` where this program knows none. */
export function inputKind(type: string): InputKind | undefined {
  const wanted = type.trim().toLowerCase()
  return INPUT_KINDS.find((kind) => typesOf(kind).includes(wanted))
}

function typesOf({ type, aliases = [] }: InputKind): readonly string[] {
  return [type, ...aliases].map((name) => name.toLowerCase())
}
