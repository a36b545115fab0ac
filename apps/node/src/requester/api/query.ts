import { isStoreError, type LabelRequirement, parseLabelSelector } from '@saltcod/store-core'
import type { FastifyRequest } from 'fastify'
import { ApiError } from '../../wire/api-error.ts'

/** The parameters behind the question mark of one request. Absent and empty are the same. */
export class Query {
  readonly #parameters: URLSearchParams

  constructor(request: Pick<FastifyRequest, 'url'>) {
    const at = request.url.indexOf('?')
    this.#parameters = new URLSearchParams(at < 0 ? '' : request.url.slice(at + 1))
  }

  /** Returns a text; `null` where it is absent. */
  text(name: string): string | null {
    const value = this.#parameters.get(name)
    return value === null || value === '' ? null : value
  }

  /** Returns all values of a parameter that may be repeated. */
  texts(name: string): string[] {
    return this.#parameters.getAll(name).filter((value) => value !== '')
  }

  /** Returns the conditions of label selectors, all of which must hold. Throws `BadRequest` for what is none. */
  labels(name: string): LabelRequirement[] {
    try {
      return this.texts(name).flatMap(parseLabelSelector)
    } catch (error) {
      if (!isStoreError(error, 'INVALID_ARGUMENT')) throw error
      const { message, hint } = error
      throw new ApiError('BadRequest', message, { cause: error, ...(hint === undefined ? {} : { hint }) })
    }
  }

  /** Tells whether the parameter is there at all. */
  has(name: string): boolean {
    return this.#parameters.has(name)
  }

  /** Returns a whole number from 0; `null` where it is absent. Throws `BadRequest` for anything else. */
  whole(name: string): number | null {
    const text = this.text(name)
    if (text === null) return null
    if (!/^\d{1,12}$/.test(text)) {
      throw new ApiError('BadRequest', `${name} is "${text}", it must be a whole number from 0`)
    }
    return Number(text)
  }

  /** Returns a truth value; false where it is absent. Throws `BadRequest` for anything else. */
  flag(name: string): boolean {
    const text = this.text(name)
    if (text === null || ['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(text)) return false
    if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(text)) return true
    throw new ApiError('BadRequest', `${name} is "${text}", it must be true or false`)
  }
}
