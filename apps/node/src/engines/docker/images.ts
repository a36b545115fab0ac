import { hasStatus, oneLine, type SocketApi, SocketError } from './socket-api.ts'

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
  readonly signal: AbortSignal
}

/** Adds the tag that is meant where none is named. */
function withTag(image: string): string {
  const last = image.slice(image.lastIndexOf('/') + 1)
  return last.includes(':') || last.includes('@') ? image : `${image}:latest`
}

/** Tells whether an image is there. */
async function hasImage(api: SocketApi, image: string, signal: AbortSignal): Promise<boolean> {
  try {
    await api.ask({ path: `/images/${image}/json`, signal })
    return true
  } catch (error) {
    if (hasStatus(error, 404)) return false
    throw error
  }
}

/**
 * Sees to it that an image is there; answers with whether it was fetched now. Throws with one line that names the
 * image and says what can be done.
 */
export async function provideImage(api: SocketApi, image: string, options: PullOptions): Promise<boolean> {
  const { policy, signal } = options
  const isThere = policy !== 'always' && (await hasImage(api, image, signal))
  if (isThere) return false
  if (policy === 'never') {
    throw new Error(
      `the image ${image} is not on this node, which fetches none (Engines.Docker.Pull is never); its operator can fetch it there`,
    )
  }
  try {
    await pull(api, image, options)
  } catch (error) {
    signal.throwIfAborted()
    throw new Error(`the image ${image} could not be fetched: ${sayWhy(error)}`, { cause: error })
  }
  return true
}

async function pull(
  api: SocketApi,
  image: string,
  { authorization, tell, signal }: PullOptions,
): Promise<void> {
  const auth = await authorization(image)
  const answer = await api.open({
    method: 'POST',
    path: '/images/create',
    query: { fromImage: withTag(image) },
    headers: auth === undefined ? {} : { 'x-registry-auth': auth },
    signal,
    waits: true,
  })
  const layers = new Map<string, { current: number; total: number }>()
  for await (const line of linesOf(answer as AsyncIterable<Buffer>)) {
    const { error, id, status, progressDetail } = line
    if (error !== undefined) throw new SocketError(500, error)
    const { current, total } = progressDetail ?? {}
    if (id !== undefined && current !== undefined && total !== undefined && total > 0) {
      layers.set(id, { current, total })
    }
    tell(progressText(layers) ?? status ?? '')
  }
  // A server may end the answer without a word of what went wrong.
  if (!(await hasImage(api, image, signal)))
    throw new SocketError(404, 'it is not there after it was fetched')
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
    for (const line of lines) if (line.trim() !== '') yield JSON.parse(line) as PullLine
  }
  if (rest.trim() !== '') yield JSON.parse(rest) as PullLine
}

const REASONS: readonly (readonly [RegExp, string])[] = [
  [/no space left|disk quota|not enough space/i, 'the disk of its server is full'],
  [
    /no image found in (?:image index|manifest list)|no matching manifest|does not match the (?:specified|expected) (?:platform|architecture)/i,
    'it is not there for the architecture of this node',
  ],
  [
    /unauthorized|authentication required|access to the resource is denied|denied:|no basic auth|requested access/i,
    'its registry wants a login, or there is no such image; the operator of the node can log in by docker login, or set DOCKER_USERNAME and DOCKER_PASSWORD',
  ],
  [/manifest unknown|not found|name unknown|no such image|404/i, 'its registry has no such image'],
]

/** Says in words of our own what a server says in many of its own, which follow. */
function sayWhy(error: unknown): string {
  const said = oneLine(error)
  const known = REASONS.find(([pattern]) => pattern.test(said))?.[1]
  return known === undefined ? said : `${known} (${said})`
}
