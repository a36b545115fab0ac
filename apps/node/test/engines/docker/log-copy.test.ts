import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { randomBelow } from '../../../../../test/random-numbers.ts'
import { testSeed } from '../../../../../test/seed.ts'
import { temporaryDirectory } from '../../../../../test/temporary-directory.ts'
import { LogCopy } from '../../../src/engines/docker/log-copy.ts'
import type { SocketApi } from '../../../src/engines/docker/socket-api.ts'
import { playedServer } from './played-server.ts'

const SEED = testSeed()
const GAP = '[saltcod: lines may be missing here, which the server of containers no longer had]\n'
const LOST = '[saltcod: the rest may be missing, since the server of containers did not tell it]\n'

interface Entry {
  readonly stream: 'stdout' | 'stderr'
  readonly second: number
  readonly text: string
}

/** The log of one container as a server tells it, with times in whole seconds as Podman does. */
class PlayedLog {
  entries: readonly Entry[] = []
  /** Breaks an answer off after so many bytes. */
  breaksAt = Number.POSITIVE_INFINITY
  readonly workDir: string = temporaryDirectory()
  readonly #api: SocketApi

  private constructor(api: SocketApi) {
    this.#api = api
  }

  static async serve(): Promise<PlayedLog> {
    const api = await playedServer((asked, answer) => {
      const query = new URL(asked.url ?? '', 'http://played').searchParams
      const bytes = played.#answerTo(query)
      if (bytes.length <= played.breaksAt) return void answer.end(bytes)
      answer.write(bytes.subarray(0, played.breaksAt), () => answer.destroy())
    })
    const played = new PlayedLog(api)
    return played
  }

  /** Reads on from what is there, as each process of a node does; answers with whether it came to the end. */
  async copy(limitBytes = 1_000_000): Promise<boolean> {
    const log = await LogCopy.open(this.workDir, limitBytes)
    try {
      await log.copy(this.#api, 'c', new AbortController().signal)
      return true
    } catch {
      return false
    } finally {
      await log.close()
    }
  }

  kept(stream: Entry['stream']): string {
    return readFileSync(join(this.workDir, stream), 'utf8')
  }

  #answerTo(query: URLSearchParams): Buffer {
    const since = Number(query.get('since') ?? 0)
    const wanted = this.entries.filter(({ stream, second }) => query.get(stream) === '1' && second >= since)
    return Buffer.concat(wanted.map(frameOf))
  }
}

function frameOf({ stream, second, text }: Entry): Buffer {
  const time = new Date(second * 1_000).toISOString().replace('.000', '')
  const body = Buffer.from(`${time} ${text}`)
  const header = Buffer.alloc(8)
  header[0] = stream === 'stdout' ? 1 : 2
  header.writeUInt32BE(body.length, 4)
  return Buffer.concat([header, body])
}

function lines(from: number, to: number, second: number, stream: Entry['stream'] = 'stdout'): Entry[] {
  return Array.from({ length: to - from }, (_, at) => ({ stream, second, text: `line ${from + at}\n` }))
}

/** An entry as it is told where it is read while the server's own writer is in the middle of it. */
function cutOff(entry: Entry, below: (end: number) => number): Entry {
  const end = entry.text.endsWith('\n') ? '\n' : ''
  return { ...entry, text: `${entry.text.slice(0, below(entry.text.length))}${end}` }
}

const textOf = (entries: readonly Entry[], stream: Entry['stream'] = 'stdout'): string =>
  entries
    .filter((entry) => entry.stream === stream)
    .map(({ text }) => text)
    .join('')

test(`what is broken off anywhere, again and again, comes whole (seed ${SEED})`, async () => {
  const below = randomBelow(SEED)
  const log = await PlayedLog.serve()
  const all = Array.from({ length: 400 }, (_, at): Entry => {
    const stream = below(3) === 0 ? 'stderr' : 'stdout'
    return { stream, second: 100 + Math.floor(at / 20), text: below(5) === 0 ? 'same\n' : `${at}` }
  })
  for (let there = 0; there < all.length; ) {
    there = Math.min(there + below(40), all.length)
    const last = all[there - 1]
    const isCut = last !== undefined && below(2) === 0
    log.entries = isCut ? [...all.slice(0, there - 1), cutOff(last, below)] : all.slice(0, there)
    log.breaksAt = below(1_500)
    await log.copy()
  }
  log.entries = all
  log.breaksAt = Number.POSITIVE_INFINITY
  expect(await log.copy()).toBe(true)
  for (const stream of ['stdout', 'stderr'] as const) expect(log.kept(stream)).toBe(textOf(all, stream))
})

test.each([
  ['later', 105],
  ['in the same second', 100],
])('where the server has dropped lines meanwhile, which it wrote %s, that is said', async (_, second) => {
  const log = await PlayedLog.serve()
  const first = [...lines(0, 3, 99), ...lines(3, 10, 100)]
  log.entries = first
  await log.copy()
  log.entries = lines(50, 60, second)
  await log.copy()
  const whole = `${textOf(first)}${GAP}${textOf(lines(50, 60, second))}`
  expect(log.kept('stdout')).toBe(whole)
  expect(log.kept('stderr')).toBe(GAP)
  log.entries = [...log.entries, ...lines(60, 70, second + 1)]
  await log.copy()
  await log.copy()
  expect(log.kept('stdout')).toBe(whole + textOf(lines(60, 70, second + 1)))
})

test('a last line that was read before it was whole is read again', async () => {
  const log = await PlayedLog.serve()
  const whole = [...lines(0, 5, 100), ...lines(5, 9, 101)]
  for (const cut of ['\n', 'lin\n', 'line 5\n']) {
    log.entries = [...whole.slice(0, 5), { stream: 'stdout', second: 101, text: cut }]
    await log.copy()
    expect(log.kept('stdout')).toBe(textOf(log.entries))
  }
  log.entries = whole
  await log.copy()
  expect(log.kept('stdout')).toBe(textOf(whole))
})

test('a gap begins a line, and the one stream has it where the other is full', async () => {
  const log = await PlayedLog.serve()
  const full = { stream: 'stdout', second: 100, text: 'much more than is kept\n'.repeat(10) } as const
  log.entries = [full, { stream: 'stderr', second: 100, text: 'begun' }]
  await log.copy(150)
  log.entries = [
    { ...full, second: 200 },
    { stream: 'stderr', second: 201, text: 'end\n' },
  ]
  await log.copy(150)
  expect(log.kept('stderr')).toBe(`begun\n${GAP}end\n`)
  expect(log.kept('stdout')).toBe(full.text.slice(0, 150))
})

test('a rest that cannot be had is said to be missing', async () => {
  const log = await PlayedLog.serve()
  log.entries = lines(0, 3, 100)
  await log.copy()
  const given = await LogCopy.open(log.workDir, 1_000)
  await given.lose()
  await given.close()
  expect(log.kept('stdout')).toBe(`${textOf(log.entries)}${LOST}`)
  expect(given.capped).toEqual({ stdoutCapped: false, stderrCapped: false })
})
