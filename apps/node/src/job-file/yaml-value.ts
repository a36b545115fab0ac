import { yamlWords } from '@saltcod/config'
import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type Scalar,
  visit,
  type YAMLMap,
} from 'yaml'
import { keyByOthers, readByOthers } from './older-yaml.ts'

/** What is wrong with a text of YAML, and where. */
export interface YamlComplaint {
  /** From 1. */
  readonly line: number
  /** From 1. */
  readonly column: number
  readonly message: string
}

/** A value that YAML or JSON says, or why it cannot be read. */
export type YamlValue =
  | { readonly value: unknown }
  /** The text is no YAML at all. */
  | { readonly broken: YamlComplaint }
  /** It is YAML, and says what no value of JSON can be, or the same twice; `roughly` is what it may have meant. */
  | { readonly complaints: readonly YamlComplaint[]; readonly roughly?: unknown }
  | { readonly severalDocuments: YamlComplaint }

const MOST_COMPLAINTS = 10
/** How much one anchor may stand for. */
const MOST_ALIASES = 100
/** The parser goes through all anchors for each of them. */
const MOST_ALIASES_OF_A_FILE = 1000
const MERGE_KEY = '<<'
const KNOWN_TAGS = new Set(
  ['str', 'int', 'float', 'bool', 'null', 'map', 'seq', 'merge'].map((name) => `tag:yaml.org,2002:${name}`),
)

/**
 * Reads the one value that a text of YAML or JSON holds. Merge keys (`<<`) are merged. Of the keys at the top that
 * `isUnread` tells nobody goes by the value, so it may have more digits than a number keeps. Never throws.
 */
export function readYaml(text: string, isUnread: (key: string) => boolean = () => false): YamlValue {
  const lines = new LineCounter()
  const at = (offset: number, message: string): YamlComplaint => {
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(line, 1), column: Math.max(col, 1), message }
  }
  try {
    const document = parseDocument(withoutTabs(text), {
      merge: true,
      stringKeys: true,
      uniqueKeys: false,
      intAsBigInt: true,
      prettyErrors: false,
      logLevel: 'error',
      lineCounter: lines,
    })
    const { errors, warnings } = document
    const several = errors.find(({ code }) => code === 'MULTIPLE_DOCS')
    if (several !== undefined) return { severalDocuments: at(several.pos[0], yamlWords(several.code)) }
    // What is only warned of would be read as something else; two codes are told below with more words.
    const [error] = [
      ...errors.filter(({ code }) => code !== 'NON_STRING_KEY'),
      ...warnings.filter(({ code }) => code !== 'TAG_RESOLVE_FAILED'),
    ]
    if (error !== undefined) return { broken: at(error.pos[0], yamlWords(error.code)) }
    // By it the parser would read dates, and 1:30 and yes as something else than texts.
    if (document.directives?.yaml.version === '1.1')
      return {
        complaints: [
          at(
            0,
            'files are read as YAML 1.2; leave the directive %YAML 1.1 out, and put in quotes what is a text',
          ),
        ],
      }
    const inspection = new Inspection(document, at, unreadValues(document, isUnread))
    const complaints = inspection.complaints()
    if (inspection.hasTooManyAliases) return { complaints: complaints.slice(0, MOST_COMPLAINTS) }
    if (complaints.length > 0)
      return { complaints: complaints.slice(0, MOST_COMPLAINTS), ...roughly(document) }
    return { value: withNumbers(document.toJS({ maxAliasCount: MOST_ALIASES })) }
  } catch (error) {
    // The parser calls itself for each level, and refuses aliases that would blow the value up.
    const message =
      error instanceof RangeError ? 'it is nested too deep' : 'its aliases (*name) stand for too much'
    return { complaints: [at(0, message)] }
  }
}

function unreadValues({ contents }: Document, isUnread: (key: string) => boolean): ReadonlySet<unknown> {
  const pairs = isMap(contents) ? contents.items : []
  return new Set(
    pairs.flatMap(({ key, value }) => (isScalar(key) && isUnread(String(key.value)) ? [value] : [])),
  )
}

function roughly(document: Document): { readonly roughly?: unknown } {
  try {
    return { roughly: withNumbers(document.toJS({ maxAliasCount: MOST_ALIASES })) }
  } catch {
    return {}
  }
}

/** JSON may be indented by tabs; what stands between its parts is all the same to it. */
function withoutTabs(text: string): string {
  if (!/^\s*[{[]/.test(text) || !text.includes('\t')) return text
  try {
    JSON.parse(text)
  } catch {
    return text
  }
  return text.replaceAll(/"(?:[^"\\]|\\.)*"|\t/g, (part) => (part === '\t' ? ' ' : part))
}

function withNumbers(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value)
  if (Array.isArray(value)) return value.map(withNumbers)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withNumbers(inner)]))
}

/** Looks for all that the parser takes and JSON could not say, or would say otherwise. */
class Inspection {
  readonly #document: Document
  readonly #at: (offset: number, message: string) => YamlComplaint
  readonly #unread: ReadonlySet<unknown>
  readonly #found: { readonly offset: number; readonly message: string }[] = []
  /** What each anchor stands for where the visit is. */
  readonly #anchors = new Map<string, Node>()
  /** What each alias stands for; `undefined` where nothing before it has its anchor. */
  readonly #targets = new Map<Alias, Node | undefined>()
  readonly #merges: { readonly value: unknown; readonly key: Scalar }[] = []

  constructor(
    document: Document,
    at: (offset: number, message: string) => YamlComplaint,
    unread: ReadonlySet<unknown>,
  ) {
    this.#document = document
    this.#at = at
    this.#unread = unread
  }

  complaints(): readonly YamlComplaint[] {
    visit(this.#document, {
      Map: (_, map) => {
        this.#inspectCollection(map)
        this.#inspectKeys(map)
      },
      Seq: (_, list) => this.#inspectCollection(list),
      Scalar: (key, scalar) => {
        this.#noteAnchor(scalar)
        if (key !== 'key' && !this.#unread.has(scalar)) this.#inspectScalar(scalar)
      },
      Alias: (_, alias, path) => this.#inspectAlias(alias, path),
    })
    if (this.hasTooManyAliases)
      this.#complain(0, `it has more than ${MOST_ALIASES_OF_A_FILE} aliases (*name)`)
    // What is merged may be named further inside, so it is known only now.
    for (const { value, key } of this.#merges) this.#inspectMerge(value, key)
    return this.#found
      .sort((left, right) => left.offset - right.offset)
      .map(({ offset, message }) => this.#at(offset, message))
  }

  /** Whether there are so many that working out its value could take for ever. */
  get hasTooManyAliases(): boolean {
    return this.#targets.size > MOST_ALIASES_OF_A_FILE
  }

  #noteAnchor(node: Node & { anchor?: string }): void {
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, node)
  }

  #inspectCollection(node: Node & { anchor?: string; tag?: string }): void {
    this.#noteAnchor(node)
    this.#inspectTag(node.tag, node.range?.[0])
  }

  #inspectAlias(alias: Alias, path: readonly unknown[]): void {
    const start = alias.range?.[0]
    const target = this.#anchors.get(alias.source)
    this.#targets.set(alias, target)
    if (target === undefined) {
      this.#complain(
        start,
        `*${alias.source} stands for an anchor (&${alias.source}) that is not set before it`,
      )
    } else if (path.includes(target))
      this.#complain(start, `*${alias.source} stands for what it is a part of`)
  }

  #inspectKeys(map: YAMLMap): void {
    const seen = new Set<string>()
    for (const pair of map.items as Pair[]) {
      const { key } = pair
      if (!isScalar(key)) {
        const start = isNode(key) ? key.range?.[0] : map.range?.[0]
        this.#complain(start, 'a key is a list, an object or an alias; write it as a plain word')
        continue
      }
      this.#inspectTag(key.tag, key.range?.[0])
      if (key.type === 'PLAIN' && (key.source ?? '') === '') {
        this.#complain(key.range?.[0], 'a key is missing before the colon')
        continue
      }
      const other = key.type === 'PLAIN' && key.tag === undefined ? keyByOthers(key.source ?? '') : undefined
      if (other !== undefined) {
        this.#complain(
          key.range?.[0],
          `the key ${key.source} is ${other} to some readers of YAML, Bacalhau's among them; put it in quotes`,
        )
      }
      const name = String(key.value)
      if (seen.has(name))
        this.#complain(key.range?.[0], `the key ${JSON.stringify(name)} is given twice in one object`)
      seen.add(name)
      if (name === MERGE_KEY && key.type === 'PLAIN') this.#merges.push({ value: pair.value, key })
    }
  }

  #inspectMerge(value: unknown, key: Scalar): void {
    const resolved = (node: unknown): unknown => (isAlias(node) ? this.#targets.get(node) : node)
    const source = resolved(value)
    const merged = isSeq(source) ? source.items.map(resolved) : [source]
    // An anchor that is missing is complained about where it is.
    if (merged.every((node) => node === undefined || isMap(node))) return
    this.#complain(key.range?.[0], '<< merges an object (<<: *name) or a list of them, not this')
  }

  #inspectScalar({ value, source = '', type, tag, range }: Scalar): void {
    const start = range?.[0]
    if (this.#inspectTag(tag, start)) return
    if (typeof value === 'string' && tag !== undefined && !/^(!|.*:str)$/.test(tag)) {
      this.#complain(start, `${source} is not what its tag says; leave the tag out`)
    } else if (typeof value === 'number' && !Number.isFinite(value)) {
      this.#complain(
        start,
        `${source} is a number that JSON does not have; put it in quotes where a text is meant`,
      )
    } else if (typeof value === 'bigint' && BigInt.asIntN(54, value) !== value) {
      this.#complain(
        start,
        `${source} is too large to be kept as a number; put it in quotes where a text is meant`,
      )
    } else if (typeof value === 'number' && !keepsDigits(source, value)) {
      this.#complain(
        start,
        `${source} has more digits than a number keeps; write fewer, or put it in quotes where a text is meant`,
      )
    } else if (type === 'PLAIN' && typeof value !== 'string' && /^[-+]?0\d/.test(source)) {
      this.#complain(
        start,
        `${source} is one number to some readers of YAML and another to others; write it without the leading 0, or put it in quotes`,
      )
    } else if (type === 'PLAIN' && typeof value === 'string' && tag === undefined) {
      const other = readByOthers(source)
      if (other === undefined) return
      this.#complain(
        start,
        `${source} is ${other} to some readers of YAML, Bacalhau's among them, and a text to others; write ${other}, or put it in quotes`,
      )
    }
  }

  /** Tells whether there is a tag that is refused. */
  #inspectTag(tag: string | undefined, start: number | undefined): boolean {
    if (tag === undefined || KNOWN_TAGS.has(tag)) return false
    this.#complain(start, `the tag ${tag.replace('tag:yaml.org,2002:', '!!')} is not taken; leave it out`)
    return true
  }

  #complain(offset: number | undefined, message: string): void {
    this.#found.push({ offset: offset ?? 0, message })
  }
}

/** A number keeps 15 digits whatever they are, and most of those that are longer not. */
function keepsDigits(source: string, value: number): boolean {
  return significantDigits(source) === significantDigits(String(value))
}

function significantDigits(text: string): string {
  const [digits = ''] = text.replace(/^[-+]/, '').split(/e/i)
  return digits.replace('.', '').replace(/^0+/, '').replace(/0+$/, '')
}
