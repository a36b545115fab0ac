import { Failure } from '@saltcod/cli-kit'
import { STORE_TABLES } from '@saltcod/store-core/backend'
import {
  type DecodedPart,
  decodeTuple,
  INDEX,
  idTuple,
  type StoreKind,
  tuple,
} from '@saltcod/store-core/format'
import { EXIT } from '../exit-code.ts'

/** A named part of a store: a table, or one index out of the table `index`. */
export interface Bucket {
  readonly name: string
  readonly table: string
  /** Every key begins with it. */
  readonly prefix: Uint8Array
  /** What the ids in a key begin with, in order. */
  readonly ids: readonly string[]
}

/** Ids in the keys of tables, where they differ between the two stores. */
const TABLE_IDS: Readonly<Record<StoreKind, Readonly<Record<string, string>>>> = {
  jobs: { jobs: 'j', specs: 'j', executions: 'e', evaluations: 'v', history: 'j', reclaim: 'j' },
  executions: { specs: 'e', executions: 'e', history: 'e', reclaim: 'e' },
}

const INDEX_IDS: Readonly<Record<string, readonly string[]>> = {
  executionByJob: ['j', 'e'],
  executionByNode: ['e'],
  executionByState: ['e'],
  executionFolded: ['e'],
  evaluationByJob: ['j', 'v'],
  evaluationLeased: ['v'],
  evaluationEnded: ['v'],
  evaluationSuspect: ['v'],
  evaluationDelayed: ['v'],
}

/** Lists the buckets of a store: its tables, and each index under `index/`. */
export function bucketsOf(kind: StoreKind): readonly Bucket[] {
  const tables = STORE_TABLES.map((name) => {
    const id = TABLE_IDS[kind][name]
    return { name, table: name, prefix: new Uint8Array(0), ids: id === undefined ? [] : [id] }
  })
  const indexes = Object.entries(INDEX).map(([name, number]) => ({
    name: `index/${name}`,
    table: 'index',
    prefix: tuple(number),
    ids: INDEX_IDS[name] ?? ['j'],
  }))
  return [...tables, ...indexes]
}

/** Finds a bucket by name. Throws a `Failure` that lists what there is. */
export function findBucket(kind: StoreKind, name: string): Bucket {
  const buckets = bucketsOf(kind)
  const found = buckets.find((bucket) => bucket.name.toLowerCase() === name.toLowerCase())
  if (found !== undefined) return found
  throw new Failure(EXIT.usage, `there is no bucket '${name}'`, {
    hint: `there are ${buckets.map((bucket) => bucket.name).join(', ')}`,
  })
}

/** Writes a key for people: an id alone, else a list of its parts; hexadecimal where it is no tuple. */
export function keyText(bucket: Bucket, key: Uint8Array): string {
  const parts = keyParts(bucket, key)
  if (parts === null) return `0x${Buffer.from(key).toString('hex')}`
  const [first, ...rest] = parts
  if (typeof first === 'string' && rest.length === 0 && !/^(\[|0x)/.test(first)) return first
  return JSON.stringify(parts)
}

function keyParts(bucket: Bucket, key: Uint8Array): (string | number)[] | null {
  let decoded: DecodedPart[]
  try {
    decoded = decodeTuple(key)
  } catch {
    return null
  }
  const ids = [...bucket.ids]
  const own = bucket.prefix.length === 0 ? decoded : decoded.slice(1)
  const deadline = bucket.name === 'index/deadline' ? (own[1] === 'execution' ? 'e' : 'j') : undefined
  return own.map((part) => {
    if (typeof part !== 'object') return part
    return `${deadline ?? ids.shift() ?? bucket.ids.at(-1) ?? 'x'}-${part.uuid}`
  })
}

/** Reads a key that {@link keyText} wrote. Throws a `Failure`. */
export function parseKey(bucket: Bucket, text: string): Uint8Array {
  if (/^0x([0-9a-f]{2})+$/i.test(text)) return Buffer.from(text.slice(2), 'hex')
  let parts: unknown = [text]
  if (text.startsWith('[')) {
    try {
      parts = JSON.parse(text)
    } catch {
      parts = null
    }
  }
  const fits = (part: unknown): part is string | number =>
    typeof part === 'string' || (typeof part === 'number' && Number.isSafeInteger(part))
  if (Array.isArray(parts) && parts.length > 0 && parts.every(fits)) {
    const encoded = parts.map((part) => (typeof part === 'string' ? encodeText(part) : tuple(part)))
    return Buffer.concat([bucket.prefix, ...encoded])
  }
  throw new Failure(EXIT.usage, `'${text}' is no key`, {
    hint: 'write it as keys prints it: an id, a list such as ["default","nightly"], or 0x and hexadecimal digits',
  })
}

function encodeText(text: string): Uint8Array {
  return /^[jev]-/.test(text) ? idTuple(text[0] ?? '', text) : tuple(text)
}
