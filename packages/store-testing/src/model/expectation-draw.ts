import type { Expectation } from '@saltcod/store-core'
import type { Draw } from './command-seed.ts'

/** Draws what a change expects: mostly nothing, else mostly what is true. */
export function drawExpectation<S extends string>(
  draw: Draw,
  record: { readonly state: S; readonly revision: number } | undefined,
  states: readonly S[],
): Expectation<S> {
  const guess = record !== undefined && !draw.once(3, 60) ? record : undefined
  return {
    ...(draw.once(4, 61) ? { expectedStates: [guess?.state ?? draw.pick(states, 62)] } : {}),
    ...(draw.once(8, 63) ? { unexpectedStates: [draw.pick(states, 64)] } : {}),
    ...(draw.once(4, 65) ? { expectedRevision: guess?.revision ?? draw.below(5, 66) } : {}),
  }
}
