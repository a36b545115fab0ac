import { requireObject } from '../arguments/argument-types.ts'
import { checkFields, type Fields } from '../kv/fields.ts'
import type { NewEvaluation } from '../model/evaluation.ts'
import type { EventInput } from '../model/history.ts'
import type { PageRequest } from '../model/page.ts'
import type { ChangeRequest } from '../model/request.ts'

/** What a method takes as its request; `never` for one that takes none, or texts and numbers alone. */
type RequestOf<Method> = Method extends (...args: infer Arguments) => unknown
  ? Extract<NonNullable<Arguments[0]>, object>
  : never

/**
 * The fields of the requests of all methods of a store that take one. The compiler refuses a table that leaves out a
 * method.
 */
export type RequestFields<Store> = {
  readonly [Name in keyof Store as [RequestOf<Store[Name]>] extends [never] ? never : Name]: Fields<
    RequestOf<Store[Name]>
  >
}

/** The fields of what every change may carry. */
export const CHANGE_FIELDS: Fields<ChangeRequest> = {
  requestId: true,
  outbox: [{ destination: true, body: true }],
}

/** The fields of what a caller says of its change. */
export const EVENT_FIELDS: Fields<EventInput> = { message: true, topic: true, details: true }

/** The fields of an evaluation to be created. */
export const NEW_EVALUATION_FIELDS: Fields<NewEvaluation> = {
  id: true,
  trigger: true,
  comment: true,
  priority: true,
  dueAtMs: true,
  delayMs: true,
  coalesce: true,
}

/** The fields of a listing. */
export const PAGE_FIELDS: Fields<PageRequest> = { limit: true, reverse: true, cursor: true }

/**
 * Makes every method that a table names refuse a request that is none, or has an unknown field, before it begins. For
 * methods that return a promise.
 */
export function refuseUnknownFields(
  prototype: object,
  methods: Readonly<Record<string, Fields<object>>>,
): void {
  for (const [name, fields] of Object.entries(methods)) {
    const method: unknown = Reflect.get(prototype, name)
    if (typeof method !== 'function') throw new TypeError(`there is no method ${name}`)
    const checked = function checked(this: unknown, ...args: readonly unknown[]): unknown {
      try {
        // One that may be left out has a default.
        if (args[0] !== undefined || method.length > 0) requireObject(`request of ${name}`, args[0])
        checkFields<unknown>(name, args[0], fields)
      } catch (error) {
        return Promise.reject(error as Error)
      }
      return Reflect.apply(method, this, args)
    }
    Object.defineProperty(prototype, name, { value: checked, configurable: true, writable: true })
  }
}
