import { Failure, isFailure } from '@saltcod/cli-kit'
import { EXIT } from '../exit-code.ts'
import { fetchFrom, type NodeAddress } from './node-address.ts'
import { unreachable } from './unreachable.ts'

/** Where on a node the archives of results are. */
const RESULTS = '/api/v1/saltcod/results/'
/** After so long without a byte a node is lost. */
const STALLED_MS = 60_000

/** An archive of results on its way, from some byte of it on. */
export interface ResultStream {
  /** Another one where the archive is another. */
  readonly tag: string
  /** The length of the whole archive. */
  readonly bytes: number
  /** The first byte that comes: 0 where the archive is not the one that was begun. */
  readonly from: number
  /** What comes. Throws a `Failure` where the node is lost. */
  readonly chunks: AsyncIterable<Uint8Array>
}

/** How much of which archive is there already. */
export interface ReceivedResults {
  readonly tag: string
  readonly from: number
}

/** Tells whether an address that a node gave out is one of results that it keeps itself. */
export function isResultAddress(address: string): boolean {
  return URL.canParse(address) && new URL(address).pathname.startsWith(RESULTS)
}

/**
 * Begins to fetch an archive of results, behind what is there of it. The node is asked where it was reached, whatever
 * name its address has. Throws a `Failure` where it refuses, or cannot be reached.
 */
export async function openResults(
  node: NodeAddress,
  address: string,
  received: ReceivedResults | null,
  signal: AbortSignal,
): Promise<ResultStream> {
  const { base } = node
  const { pathname, search } = new URL(address)
  const stall = new Stall(signal)
  const headers: Record<string, string> =
    received === null ? {} : { range: `bytes=${received.from}-`, 'if-range': received.tag }
  let response: Response
  try {
    response = await fetchFrom(node, `${pathname}${search}`, { headers, signal: stall.signal })
    if (response.status !== 200 && response.status !== 206) throw await refusal(response)
  } catch (error) {
    stall.end()
    throw isFailure(error) ? error : unreachable(base, error, STALLED_MS)
  }
  const [, first, total] = /^bytes (\d+)-\d+\/(\d+)$/.exec(response.headers.get('content-range') ?? '') ?? []
  const partial = response.status === 206
  if (partial && Number(first) !== received?.from) {
    stall.end()
    throw new Failure(EXIT.failed, 'the node sends another part of the results than was asked for')
  }
  return {
    tag: response.headers.get('etag') ?? '',
    bytes: Number((partial ? total : response.headers.get('content-length')) ?? Number.NaN),
    from: partial ? Number(first) : 0,
    chunks: chunksOf(response, base, stall),
  }
}

async function* chunksOf(response: Response, base: string, stall: Stall): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of response.body ?? []) {
      stall.beat()
      yield chunk
    }
  } catch (error) {
    throw unreachable(base, error, STALLED_MS)
  } finally {
    stall.end()
  }
}

async function refusal(response: Response): Promise<Failure> {
  const { Message = `the node answered with status ${response.status}`, Hint } = (await response
    .json()
    .catch(() => ({}))) as { readonly Message?: string; readonly Hint?: string }
  // What keeps the results may only not have come back yet.
  const passing = response.status === 503
  return new Failure(passing ? EXIT.unreachable : EXIT.failed, Message.split('\n'), { hint: Hint })
}

/** Gives a transfer up when nothing has come for too long, or its user does not want it any more. */
class Stall {
  readonly #controller = new AbortController()
  readonly #user: AbortSignal
  readonly #give = (): void => this.#controller.abort()
  readonly #timer: NodeJS.Timeout

  constructor(user: AbortSignal) {
    this.#user = user
    user.addEventListener('abort', this.#give, { once: true })
    if (user.aborted) this.#give()
    this.#timer = setTimeout(() => {
      this.#controller.abort(new DOMException('nothing came any more', 'TimeoutError'))
    }, STALLED_MS)
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  beat(): void {
    this.#timer.refresh()
  }

  end(): void {
    clearTimeout(this.#timer)
    this.#user.removeEventListener('abort', this.#give)
  }
}
