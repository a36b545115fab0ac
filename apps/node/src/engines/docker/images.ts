import type { Readable } from 'node:stream'
import { formatDuration } from '@saltcod/units'
import { TaskError } from '../../compute/task-error.ts'
import { imageError } from './image-error.ts'
import {
  hasStatus,
  isUnanswered,
  LONGEST_ANSWER_BYTES,
  oneLine,
  type SocketApi,
  SocketError,
  shortText,
} from './socket-api.ts'

/** When an image is fetched from its registry. */
export type PullPolicy = 'missing' | 'always' | 'never'

/** A line of what a server says while it fetches an image. */
interface PullLine {
  readonly status?: string
  readonly id?: string
  readonly error?: string
  readonly progressDetail?: { readonly current?: number; readonly total?: number }
}

/** What a fetch needs beside the name of the image. */
export interface PullOptions {
  readonly policy: PullPolicy
  /** The value of `X-Registry-Auth` for a registry; undefined for none. */
  readonly authorization: (image: string) => Promise<string | undefined>
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
  try {
    await pull(api, image, options)
  } catch (error) {
    signal.throwIfAborted()
    // It is begun again, from what is there of it.
    if (isUnanswered(error)) throw error
    throw imageError(image, oneLine(error), error)
  }
  return isThere ? 'refreshed' : 'fetched'
}

async function pull(api: SocketApi, image: string, options: PullOptions): Promise<void> {
  const { authorization, stallMs } = options
  const auth = await authorization(image)
  const stalled = new AbortController()
  const signal = AbortSignal.any([options.signal, stalled.signal])
  const stall = setTimeout(() => stalled.abort(), stallMs)
  try {
    const answer = await api.open({
      method: 'POST',
      path: '/images/create',
      query: { fromImage: withTag(image) },
      headers: auth === undefined ? {} : { 'x-registry-auth': auth },
      signal,
      waits: true,
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
  const layers = new Map<string, { current: number; total: number }>()
  let before = ''
  try {
    for await (const { error, id, status, progressDetail } of linesOf(answer as AsyncIterable<Buffer>)) {
      if (error !== undefined) throw new SocketError(500, String(error))
      const { current, total } = progressDetail ?? {}
      const step = `${status} ${id} ${current}`
      if (step !== before) onStep()
      before = step
      if (id !== undefined && current !== undefined && total !== undefined && total > 0) {
        layers.set(id, { current, total })
      }
      tell(progressText(layers) ?? shortText(String(status ?? '')))
    }
  } catch (error) {
    if (error instanceof SocketError) throw error
    throw new SocketError(0, 'the answer about a fetch broke off', { cause: error })
  } finally {
    answer.destroy()
  }
}

function progressText(layers: ReadonlyMap<string, { current: number; total: number }>): string | undefined {
  let current = 0
  let total = 0
  for (const layer of layers.values()) {
    current += layer.current
    total += layer.total
  }
  if (total === 0) return undefined
  const mb = (bytes: number): string => (bytes / 1e6).toFixed(1)
  return `${Math.floor((current / total) * 100)}% (${mb(current)} of ${mb(total)} MB)`
}

async function* linesOf(answer: AsyncIterable<Buffer>): AsyncGenerator<PullLine, void, undefined> {
  let rest = ''
  const decoder = new TextDecoder()
  for await (const chunk of answer) {
    rest += decoder.decode(chunk, { stream: true })
    const lines = rest.split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > LONGEST_ANSWER_BYTES) throw new SocketError(500, 'a line of the answer is too long')
    for (const line of lines) if (line.trim() !== '') yield JSON.parse(line) as PullLine
  }
  if (rest.trim() !== '') yield JSON.parse(rest) as PullLine
}
