import assert from 'node:assert/strict'

import type { StoreErrorCode } from '@saltcod/store-core'

/** How an error is recognised: by its code, or `TypeError` for a caller mistake. */
export type ExpectedError = StoreErrorCode | 'TypeError'

/** What the engine says where a program has taken an argument for something else; it does not name the argument. */
const OF_THE_ENGINE =
  /^Cannot (?:read|convert|destructure|mix|set)|is not (?:a function|iterable)$|^A part of a key/

/** Asserts that a promise rejects with an error of that kind; fails where it resolves. */
export async function assertRejects(outcome: Promise<unknown>, expected: ExpectedError): Promise<void> {
  const error = await outcome.then(
    () => assert.fail(`should have been refused with ${expected}, but was carried out`),
    (reason: unknown) => reason,
  )
  assertKind(error, expected)
}

/** Asserts that a function throws an error of that kind, at once. */
export function assertThrows(call: () => unknown, expected: ExpectedError): void {
  let caught: { readonly error: unknown } | undefined
  try {
    call()
  } catch (error) {
    caught = { error }
  }
  if (caught === undefined) assert.fail(`should have been refused with ${expected}, but was carried out`)
  assertKind(caught.error, expected)
}

/** Runs a function and forgets what it throws or rejects with, as a careless caller does. */
export function swallow(call: () => unknown): void {
  try {
    const result = call()
    if (result instanceof Promise) result.catch(() => undefined)
  } catch {
    // What follows from it is what the case is about.
  }
}

function assertKind(error: unknown, expected: ExpectedError): void {
  const { name, code, message } = error as { name?: unknown; code?: unknown; message?: unknown }
  const actual = code ?? name
  const seen = `refused with ${String(actual)} (${String(message)}), expected ${expected}`
  assert.ok(error instanceof Error || typeof message === 'string', `threw something that is no error`)
  assert.equal(actual, expected, seen)
  if (expected === 'TypeError') assert.doesNotMatch(String(message), OF_THE_ENGINE, seen)
}
