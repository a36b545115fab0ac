import { createHmac, timingSafeEqual } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { ApiError } from '../../wire/api-error.ts'
import type { Query } from './query.ts'

/** Where the archives of results are; the name of each follows. */
export const RESULTS = '/api/v1/saltcod/results'

/** How long an address is good for; who needs longer asks for the results again and goes on where it was. */
const LIFETIME_S = 3600
const SUFFIX = '.tar.gz'

/** Makes addresses of results that nobody can guess and that end, and recognises them. */
export class ResultLinks {
  readonly #key: Buffer
  readonly #publicUrl: string | undefined
  readonly #clock: () => number

  constructor(options: {
    readonly key: Buffer
    /** Where clients find the API; where it is not known, that is where they asked. */
    readonly publicUrl: string | undefined
    readonly clock: () => number
  }) {
    this.#key = options.key
    this.#publicUrl = options.publicUrl
    this.#clock = options.clock
  }

  /** Returns the address of the results of an execution for whoever sent a request. */
  urlOf(
    executionId: string,
    { host, protocol, raw }: Pick<FastifyRequest, 'host' | 'protocol' | 'raw'>,
  ): string {
    const base = this.#publicUrl ?? `${protocol}://${host === '' ? ownAddress(raw.socket) : host}`
    const expires = String(Math.ceil(this.#clock() / 1000) + LIFETIME_S)
    const signature = this.#sign(executionId, expires)
    return `${base}${RESULTS}/${encodeURIComponent(executionId)}${SUFFIX}?expires=${expires}&signature=${signature}`
  }

  /** Returns the execution whose results an address names. Throws `NotFound`, and `Forbidden` for one of no worth. */
  executionOf(file: string, query: Query): string {
    if (!file.endsWith(SUFFIX))
      throw new ApiError('NotFound', `there are no results named ${file.slice(0, 80)}`, {
        hint: 'the description of the job has the addresses of its results',
      })
    const executionId = file.slice(0, -SUFFIX.length)
    const expires = query.text('expires') ?? ''
    const given = Buffer.from(query.text('signature') ?? '')
    const right = Buffer.from(this.#sign(executionId, expires))
    if (given.length !== right.length || !timingSafeEqual(given, right)) {
      throw new ApiError('Forbidden', 'this is no address of results', { hint: HINT })
    }
    if (Number(expires) * 1000 < this.#clock()) {
      throw new ApiError('Forbidden', 'this address of results has ended', { hint: HINT })
    }
    return executionId
  }

  #sign(executionId: string, expires: string): string {
    return createHmac('sha256', this.#key)
      .update(JSON.stringify([executionId, expires]))
      .digest('base64url')
  }
}

const HINT = 'ask for the results of the job again; a download goes on where it was'

function ownAddress({ localAddress = '127.0.0.1', localPort }: FastifyRequest['raw']['socket']): string {
  return `${localAddress.includes(':') ? `[${localAddress}]` : localAddress}:${localPort}`
}
