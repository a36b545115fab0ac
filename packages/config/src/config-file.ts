import { dirname, resolve } from 'node:path'
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
} from 'yaml'
import { unknownName } from './did-you-mean.ts'
import { foreignFile, isBacalhauKey } from './foreign-file.ts'
import type { Origin } from './origin.ts'
import { type Complaint, type Problem, showGiven } from './problem.ts'
import type { RawValue } from './raw-value.ts'
import type { AnySetting, PathBase } from './setting.ts'
import { findSetting, SETTINGS } from './settings.ts'
import { readTextFile } from './text-file.ts'
import { yamlWords } from './yaml-words.ts'

/** What a config file said. */
export interface ReadFile {
  readonly given: readonly RawValue[]
  readonly errors: readonly Problem[]
  /** Whether the file was there. */
  readonly found: boolean
}

interface Section {
  readonly children: Map<string, Section | AnySetting>
}

const ROOT = buildSections()
const MOST_SYNTAX_ERRORS = 10
const UNRESOLVED: Complaint = {
  problem: 'its aliases (*name) cannot be resolved',
  hint: 'write the value itself',
}

/**
 * Reads a YAML config file. Whatever is wrong with it is in `errors`, each with its line.
 * A file that is not there is an error only when it is `required`.
 */
export function readConfigFile(path: string, base: PathBase, required: boolean): ReadFile {
  const absolute = resolve(base.directory, path)
  const read = readTextFile(absolute)
  if (read === undefined) {
    const origin: Origin = { kind: 'file', path, line: 0 }
    const problem = { origin, problem: 'there is no such file', hint: 'correct the path, or leave it out' }
    return { given: [], errors: required ? [problem] : [], found: false }
  }
  if (!('text' in read)) {
    return { given: [], errors: [{ origin: { kind: 'file', path, line: 0 }, ...read }], found: true }
  }
  const reader = new FileReader(path, { home: base.home, directory: dirname(absolute) }, read.text)
  return { ...reader.read(), found: true }
}

class FileReader {
  readonly #path: string
  readonly #base: PathBase
  readonly #lines: LineCounter
  readonly #document: Document
  readonly #source: string
  readonly #given: RawValue[] = []
  readonly #errors: Problem[] = []

  constructor(path: string, base: PathBase, source: string) {
    this.#path = path
    this.#base = base
    this.#source = source
    this.#lines = new LineCounter()
    this.#document = parseDocument(source, { lineCounter: this.#lines, prettyErrors: false })
  }

  read(): { given: readonly RawValue[]; errors: readonly Problem[] } {
    const broken = this.#checkSyntax()
    const contents = this.#resolved(this.#document.contents)
    if (!broken && !isEmpty(contents)) this.#readRoot(contents)
    return { given: this.#given, errors: this.#errors }
  }

  #readRoot(contents: Node | null): void {
    const keys = isMap(contents)
      ? contents.items.flatMap(({ key }) =>
          isScalar(key) && typeof key.value === 'string' ? [key.value] : [],
        )
      : []
    const foreign = foreignFile(keys)
    if (foreign !== undefined) this.#complain(offsetOf(contents), undefined, foreign)
    // A job has nothing in common with a configuration.
    if (foreign === undefined || keys.some(isBacalhauKey)) this.#readSection(ROOT, contents, [])
  }

  // Keys that are given twice leave the rest of the file readable; anything else makes it guesswork.
  #checkSyntax(): boolean {
    const { errors, warnings } = this.#document
    const syntax = [...errors.filter((error) => error.code !== 'DUPLICATE_KEY'), ...warnings]
    for (const error of errors) {
      if (error.code !== 'DUPLICATE_KEY') continue
      const key = /^[^:\s]+/.exec(this.#source.slice(error.pos[0]))?.[0] ?? ''
      this.#complain(error.pos[0], undefined, {
        problem: `${showGiven(key)} is given twice`,
        hint: 'remove one of them',
      })
    }
    for (const error of syntax.slice(0, MOST_SYNTAX_ERRORS)) {
      this.#complain(error.pos[0], undefined, {
        problem: `not valid YAML: ${yamlWords(error.code)}`,
        hint: 'correct the line',
      })
    }
    return syntax.length > 0
  }

  #readSection(section: Section, node: Node | null, path: readonly string[]): void {
    if (!isMap(node)) {
      const what = path.length === 0 ? 'the file is not a mapping' : `${showNode(node)} is not a mapping`
      this.#complain(offsetOf(node), keyOf(path), { problem: what, hint: "write 'Key: value' lines" })
      return
    }
    for (const pair of node.items as Pair<Node, Node | null>[]) {
      const name = isScalar(pair.key) ? pair.key.value : undefined
      if (typeof name !== 'string') {
        this.#complain(offsetOf(pair.key), keyOf(path), {
          problem: 'a key is not a plain word',
          hint: 'write a known key',
        })
        continue
      }
      const child = section.children.get(name)
      if (child === undefined && path.length === 0 && isBacalhauKey(name)) continue
      if (child === undefined) {
        const complaint = unknownKey([...path, name], [...section.children.keys()])
        this.#complain(offsetOf(pair.key), keyOf(path), complaint)
      } else {
        this.#readChild(child, pair, [...path, name])
      }
    }
  }

  #readChild(child: Section | AnySetting, pair: Pair<Node, Node | null>, path: readonly string[]): void {
    const value = this.#resolved(pair.value)
    if (
      isScalar(value) &&
      value.value === null &&
      value.source === '~' &&
      'form' in child &&
      child.form === 'path'
    ) {
      this.#complain(offsetOf(pair.key), child.key, {
        problem: '~ alone is no text in YAML',
        hint: "write it in quotes: '~'",
      })
      return
    }
    if (value === null && isAlias(pair.value)) {
      this.#complain(offsetOf(pair.key), keyOf(path), UNRESOLVED)
      return
    }
    // A key with nothing after it counts as not given, like an empty environment variable.
    if (isEmpty(value)) return
    if ('children' in child) {
      this.#readSection(child, value, path)
      return
    }
    let raw: unknown
    try {
      raw = value?.toJS(this.#document, { maxAliasCount: 100 })
    } catch {
      this.#complain(offsetOf(pair.key), child.key, UNRESOLVED)
      return
    }
    this.#given.push({
      setting: child,
      raw,
      origin: this.#originAt(offsetOf(pair.key)),
      base: this.#base,
      originOf: (inner) => this.#originAt(this.#offsetInside(value, inner) ?? offsetOf(pair.key)),
    })
  }

  // The place of the innermost part that the path still leads to.
  #offsetInside(value: Node | null, path: readonly PropertyKey[]): number | undefined {
    let node: Node | null = value
    let offset: number | undefined
    for (const step of path) {
      if (isMap(node)) {
        const pairs = node.items as Pair<Node, Node | null>[]
        const pair = pairs.find(({ key }) => isScalar(key) && String(key.value) === String(step))
        if (pair === undefined) return offset
        offset = offsetOf(pair.key)
        node = this.#resolved(pair.value)
      } else if (isSeq(node)) {
        const item = node.items[Number(step)] as Node | null | undefined
        if (item === undefined || item === null) return offset
        offset = offsetOf(item)
        node = this.#resolved(item)
      } else {
        return offset
      }
    }
    return offset
  }

  #resolved(node: Node | null | undefined): Node | null {
    if (isAlias(node)) return node.resolve(this.#document) ?? null
    return node ?? null
  }

  #originAt(offset: number): Origin {
    return { kind: 'file', path: this.#path, line: this.#lines.linePos(offset).line }
  }

  #complain(offset: number, key: string | undefined, complaint: Complaint): void {
    this.#errors.push({ origin: this.#originAt(offset), ...(key === undefined ? {} : { key }), ...complaint })
  }
}

function buildSections(): Section {
  const root: Section = { children: new Map() }
  for (const setting of SETTINGS) {
    const names = setting.key.split('.')
    const last = names.pop() ?? ''
    let section = root
    for (const name of names) {
      const child = section.children.get(name) ?? { children: new Map() }
      section.children.set(name, child)
      if ('children' in child) section = child
    }
    section.children.set(last, setting)
  }
  return root
}

function unknownKey(path: readonly string[], siblings: readonly string[]): Complaint {
  const name = path.at(-1) ?? ''
  const flat = findSetting(path.join('.'))
  if (flat !== undefined && name.includes('.')) {
    const nested = flat.key.split('.').map((part) => `${part}:`)
    return {
      problem: `${showGiven(name)} is not known here`,
      hint: `write its parts on lines below each other: ${nested.join(' ')}`,
    }
  }
  const elsewhere = SETTINGS.filter(({ key }) => key.toLowerCase().endsWith(`.${name.toLowerCase()}`))
  const isNear = siblings.some((sibling) => sibling.toLowerCase() === name.toLowerCase())
  if (!isNear && elsewhere.length > 0) {
    const keys = elsewhere.map(({ key }) => `'${key}'`).join(' or ')
    return { problem: `${showGiven(name)} is not known here`, hint: `did you mean ${keys}?` }
  }
  return unknownName(name, siblings)
}

function keyOf(path: readonly string[]): string | undefined {
  return path.length === 0 ? undefined : path.join('.')
}

function isEmpty(node: Node | null): boolean {
  return node === null || (isScalar(node) && node.value === null)
}

function offsetOf(node: Node | null): number {
  return node?.range?.[0] ?? 0
}

function showNode(node: Node | null): string {
  if (isScalar(node)) return showGiven(node.value)
  return isSeq(node) ? 'a list' : 'this'
}
