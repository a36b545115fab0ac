import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { WirePutJobAnswer } from '@saltcod/bacalhau-records'
import { describe, test } from 'vitest'
import { HttpLink } from '../../src/link/http-link.ts'
import { startTestNode, type TestNode } from '../node-fixture.ts'
import { makeNode } from '../requester/scheduler/world.ts'

/** Answers of real nodes, which lie beside the project where somebody keeps them; it carries no copy. */
const RECORDINGS = fileURLToPath(new URL('../../../../../shared/fixtures/bacalhau-wire/', import.meta.url))
const DOCUMENT = fileURLToPath(new URL('../../../../docs/compatibility.md', import.meta.url))

interface Recorded {
  readonly name: string
  readonly request: {
    readonly method: string
    readonly path: string
    readonly body?: unknown
    readonly headers?: Record<string, string>
  }
  readonly status: number
  readonly answer: Record<string, unknown> & { readonly JobID?: string }
}

/** A row of the document: in which versions, to which request (or any), what is otherwise. */
interface Allowed {
  readonly versions: readonly string[]
  readonly request: string
  readonly difference: string
  used: boolean
}

function allowed(): Allowed[] {
  return readFileSync(DOCUMENT, 'utf8')
    .split('\n')
    .flatMap((line) => {
      const cells = line.split(' | ').map((cell) => cell.replaceAll(/^\| |`/g, '').trim())
      const [versions = '', request = '', differences = '', reason = ''] = cells
      // What commands print stands in rows of five.
      if (!/^1\.\d/.test(versions) || cells.length !== 4) return []
      assert.notEqual(reason, '', `no reason in ${line}`)
      return differences.split(', ').map((difference) => ({
        versions: versions.split(', '),
        request,
        difference,
        used: false,
      }))
    })
}

function typeOf(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}

/** Notes the types of everything in an answer by its path; of a list, those of all its items. */
function shapeOf(
  value: unknown,
  path = '',
  shape = new Map<string, Set<string>>(),
): Map<string, Set<string>> {
  shape.set(path, (shape.get(path) ?? new Set()).add(typeOf(value)))
  if (Array.isArray(value)) for (const item of value) shapeOf(item, `${path}[]`, shape)
  else if (typeof value === 'object' && value !== null) {
    for (const [key, inner] of Object.entries(value))
      shapeOf(inner, path === '' ? key : `${path}.${key}`, shape)
  }
  return shape
}

/** Free maps and whatever a client may write there: their keys are no contract. */
const FREE = /(?:^|\.)(?:Params|Labels|Env|Details|Tasks\.[^.]+|config)\./

function differencesOf(theirs: unknown, ours: unknown): string[] {
  const [expected, got] = [shapeOf(theirs), shapeOf(ours)]
  return [...expected].flatMap(([path, types]) => {
    if (FREE.test(path)) return []
    const above = path.replace(/(?:\.[^.[]+|\[\])$/, '')
    // What lacks as a whole is said once.
    const whole = got.get(above)
    if (above !== path && (whole === undefined || [...whole].every((type) => type === 'null'))) return []
    const has = got.get(path)
    // An empty list or none of the items has nothing to compare.
    if (has === undefined) return path.endsWith('[]') || !hasItems(got, path) ? [] : [`no ${path}`]
    return [...types].some((type) => has.has(type)) ? [] : [`${path} is ${[...has].join(' or ')}`]
  })
}

function hasItems(shape: Map<string, Set<string>>, path: string): boolean {
  const list = path.lastIndexOf('[]')
  return list < 0 || shape.has(path.slice(0, list + 2))
}

class Replay {
  readonly #node: TestNode
  readonly #version: string
  readonly #ids = new Map<string, string>([['node', 'n-test']])

  constructor(node: TestNode, version: string) {
    this.#node = node
    this.#version = version
  }

  #fill(text: string): string {
    return text.replaceAll(/\{([a-z:]+)\}/g, (all, name: string) => this.#ids.get(name) ?? all)
  }

  async differences({ name, request, status, answer }: Recorded): Promise<string[]> {
    if (name === 'node delete') await this.#introduceAnother()
    const { method, path, body, headers } = request
    const sent = typeof body === 'string' ? body : JSON.stringify(body)
    const response = await fetch(`${this.#node.url}${this.#fill(path)}`, {
      method,
      headers: {
        'content-type': 'application/json',
        'x-bacalhau-git-version': `v${this.#version}`,
        ...headers,
      },
      ...(body === undefined || method === 'GET' ? {} : { body: this.#fill(sent) }),
    })
    const text = await response.text()
    if (response.status !== status) return [`${status} is ${response.status}`]
    if ('#text' in answer) return answer['#text'] === text ? [] : [`the text is ${text}`]
    const ours = JSON.parse(text) as WirePutJobAnswer
    await this.#follow(answer, ours)
    return differencesOf(answer, ours)
  }

  /** A node that lives comes again as soon as it is deleted; the one that is to be deleted says one word only. */
  async #introduceAnother(): Promise<void> {
    const { description, load } = makeNode('n-gone')
    const store = { storeId: 'store of n-gone', durable: true, sequence: 0, openings: [] }
    await new HttpLink([this.#node.url]).handshake({ node: description, load, store, executions: [] })
    this.#ids.set('node', 'n-gone')
  }

  /** Takes note of the jobs that later requests name, and waits until they have come as far as there. */
  async #follow(answer: Recorded['answer'], { JobID }: WirePutJobAnswer): Promise<void> {
    const name = /^\{(job:(first|service|trap))\}$/.exec(answer.JobID ?? '')
    if (name === null || JobID === undefined) return
    this.#ids.set(name[1] ?? '', JobID).set(`${name[1]}:short`, JobID.slice(0, 10))
    await this.#node.until(
      JobID,
      ...(name[2] === 'service' ? ['Running', 'Stopped'] : ['Completed', 'Failed']),
    )
  }
}

describe('a node answers as a real one did, but for what docs/compatibility.md gives a reason for', () => {
  test.for(['1.9.3', '1.4.0'])('%s', { timeout: 120_000 }, async (version, { annotate }) => {
    const file = `${RECORDINGS}${version}.json`
    if (!existsSync(file)) {
      await annotate(`not compared: there are no recordings in ${RECORDINGS}`)
      return
    }
    const recorded = JSON.parse(readFileSync(file, 'utf8')) as readonly Recorded[]
    const rows = allowed().filter(({ versions }) => versions.includes(version))
    const replay = new Replay(await startTestNode(), version)
    const unexplained: string[] = []
    for (const one of recorded) {
      for (const difference of await replay.differences(one)) {
        const row = rows.find(
          (candidate) =>
            (candidate.request === 'any' || candidate.request === one.name) &&
            (candidate.difference === difference ||
              difference.endsWith(candidate.difference.replace(/^no /, '.'))),
        )
        if (row === undefined) unexplained.push(`${one.name}: ${difference}`)
        else row.used = true
      }
    }
    assert.deepEqual(unexplained, [])
    assert.deepEqual(
      rows.filter(({ used }) => !used).map(({ request, difference }) => `${request}: ${difference}`),
      [],
      'the document tells of differences that are none',
    )
  })
})
