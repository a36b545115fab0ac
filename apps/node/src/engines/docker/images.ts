import type { Readable } from 'node:stream'
import { formatDuration } from '@saltcod/units'
import { TaskError } from '../../compute/task-error.ts'
import type { FoundLogin } from './credentials.ts'
import { imageError } from './image-error.ts'
import { objectOf, textOf } from './said.ts'
import {
  hasStatus,
  isUnanswered,
  LONGEST_ANSWER_BYTES,
  oneLine,
  type SocketApi,
  SocketError,
  shortText,
} from './socket-api.ts'

/** Beyond what any registry takes of one image. */
const MOST_LAYERS = 10_000

/** When an image is fetched from its registry. */
export type PullPolicy = 'missing' | 'always' | 'never'

/** How far a server is with an image, in bytes of all of its layers that it has told of. */
class PullProgress {
  readonly #layers = new Map<string, { readonly current: number; readonly total: number }>()
  #current = 0
  #total = 0

  /** Takes what it says of a layer. No image has more layers than are counted, whatever a registry says. */
  take(id: string, current: unknown, total: unknown): void {
    if (!isSize(current) || !isSize(total) || total === 0) return
    const before = this.#layers.get(id)
    if (before === undefined && this.#layers.size >= MOST_LAYERS) return
    this.#current += current - (before?.current ?? 0)
    this.#total += total - (before?.total ?? 0)
    this.#layers.set(id, { current, total })
  }

  /** Undefined where it has told of none. */
  get text(): string | undefined {
    if (this.#total === 0) return undefined
    const mb = (bytes: number): string => (bytes / 1e6).toFixed(1)
    const percent = Math.floor((this.#current / this.#total) * 100)
    return `${percent}% (${mb(this.#current)} of ${mb(this.#total)} MB)`
  }
}

function isSize(said: unknown): said is number {
  return Number.isSafeInteger(said) && (said as number) >= 0
}

/** What a fetch needs beside the name of the image. */
export interface PullOptions {
  readonly policy: PullPolicy
  /** Finds what is logged in with at the registry of an image. */
  readonly login: (image: string) => Promise<FoundLogin>
  /** Hears how far it is, as often as the server says so. */
  readonly tell: (text: string) => void
  /** How long nothing may come of it before it is given up. */
  readonly stallMs: number
  readonly signal: AbortSignal
}

/** Adds the tag that is meant where none is named. */
function withTag(image: string): string {
  const last = image.slice(image.lastIndexOf('/') + 1)
  return last.includes(':') || last.includes('@') ? image : `${image}:latest`
}

/** The name of an image as a part of an address. */
export function pathOf(image: string): string {
  return image.split('/').map(encodeURIComponent).join('/')
}

/** Tells whether an image is there. */
async function hasImage(api: SocketApi, image: string, signal: AbortSignal): Promise<boolean> {
  try {
    await api.ask({ path: `/images/${pathOf(image)}/json`, signal })
    return true
  } catch (error) {
    if (hasStatus(error, 404)) return false
    throw error
  }
}

/** What was done about an image: it was there, was fetched, or was fetched although one of its name was there. */
export type Provided = 'there' | 'fetched' | 'refreshed'

/**
 * Sees to it that an image is there. Throws a `TaskError` with one line that names the image and says what can be
 * done, or what the server did where it did not answer.
 */
export async function provideImage(api: SocketApi, image: string, options: PullOptions): Promise<Provided> {
  const { policy, signal } = options
  const isThere = await hasImage(api, image, signal)
  if (isThere && policy !== 'always') return 'there'
  if (policy === 'never') {
    throw new TaskError(
      'IMAGE_DENIED',
      `the image ${image} is not on this node, which fetches none (Engines.Docker.Pull is never); its operator can fetch it there`,
    )
  }
  const login = await options.login(image)
  try {
    await pull(api, image, login, options)
  } catch (error) {
    signal.throwIfAborted()
    // It is begun again, from what is there of it.
    if (isUnanswered(error)) throw error
    throw imageError(image, oneLine(error), login, error)
  }
  return isThere ? 'refreshed' : 'fetched'
}

async function pull(
  api: SocketApi,
  image: string,
  { header }: FoundLogin,
  options: PullOptions,
): Promise<void> {
  const { stallMs } = options
  const stalled = new AbortController()
  const signal = AbortSignal.any([options.signal, stalled.signal])
  const stall = setTimeout(() => stalled.abort(), stallMs)
  try {
    const answer = await api.open({
      method: 'POST',
      path: '/images/create',
      query: { fromImage: withTag(image) },
      headers: header === undefined ? {} : { 'x-registry-auth': header },
      signal,
      waits: true,
      pauses: true,
    })
    await followPull(answer, options, () => stall.refresh())
  } catch (error) {
    if (!stalled.signal.aborted) throw error
    throw new SocketError(504, `nothing of it came for ${formatDuration(stallMs)}`, { cause: error })
  } finally {
    clearTimeout(stall)
  }
  // A server may end the answer without a word of what went wrong.
  if (!(await hasImage(api, image, options.signal)))
    throw new SocketError(500, 'it is not there after it was fetched')
}

/** Reads what a server says while it fetches, to its end; `onStep` hears of all that is new. */
async function followPull(answer: Readable, { tell }: PullOptions, onStep: () => void): Promise<void> {
  const progress = new PullProgress()
  let before = ''
  try {
    for await (const line of linesOf(answer as AsyncIterable<Buffer>)) {
      const { error, id, status, progressDetail } = objectOf(line)
      if (error !== undefined) throw new SocketError(500, String(error))
      const { current, total } = objectOf(progressDetail)
      const step = shortText(`${textOf(status)} ${textOf(id)} ${String(current)}`)
      if (step !== before) onStep()
      before = step
      if (typeof id === 'string') progress.take(shortText(id), current, total)
      tell(progress.text ?? shortText(textOf(status)))
    }
  } catch (error) {
    if (error instanceof SocketError) throw error
    throw new SocketError(0, 'the answer about a fetch broke off', { cause: error })
  } finally {
    answer.destroy()
  }
}

async function* linesOf(answer: AsyncIterable<Buffer>): AsyncGenerator<unknown, void, undefined> {
  let rest = ''
  const decoder = new TextDecoder()
  for await (const chunk of answer) {
    rest += decoder.decode(chunk, { stream: true })
    const lines = rest.split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > LONGEST_ANSWER_BYTES) throw new SocketError(500, 'a line of the answer is too long')
    for (const line of lines) if (line.trim() !== '') yield JSON.parse(line) as unknown
  }
  if (rest.trim() !== '') yield JSON.parse(rest) as unknown
}
