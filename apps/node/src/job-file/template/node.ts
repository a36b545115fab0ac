/** What gives a value. */
export type Operand =
  | { readonly kind: 'constant'; readonly value: string | bigint | number | boolean; readonly offset: number }
  | { readonly kind: 'nil'; readonly offset: number }
  /** A value and the fields behind it; without a base, of what the dot is. */
  | {
      readonly kind: 'chain'
      readonly base: Base
      readonly fields: readonly string[]
      readonly offset: number
    }
  | { readonly kind: 'function'; readonly name: string; readonly offset: number }

/** Where a chain of fields begins. */
export type Base =
  | { readonly kind: 'dot' }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'pipeline'; readonly pipeline: Pipeline }

/** A function with its arguments, or a value alone. */
export interface Command {
  readonly operands: readonly [Operand, ...Operand[]]
}

/** Commands of which each gets the value of the one before as its last argument. */
export interface Pipeline {
  readonly commands: readonly Command[]
  /** The variables that get its value; two only of a range. */
  readonly variables: readonly string[]
  /** Whether these are new. */
  readonly declares: boolean
  readonly offset: number
}

/** A part of a template. */
export type Part =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly pipeline: Pipeline }
  | {
      readonly kind: 'if' | 'with' | 'range'
      readonly pipeline: Pipeline
      readonly body: readonly Part[]
      readonly otherwise: readonly Part[]
    }
  | { readonly kind: 'break' | 'continue' }
