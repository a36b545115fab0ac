import { FUNCTIONS } from './functions.ts'
import type { Base, Command, Operand, Part, Pipeline } from './node.ts'
import { parseTemplate } from './parser.ts'
import { FormatProblem } from './printf.ts'
import { isTemplateProblem, TemplateProblem } from './problem.ts'
import { isTrue, kindOf, textOf, type Value } from './value.ts'

/** What a template says once it is filled in, or all that is wrong with it, in its order. */
export type FilledIn = { readonly text: string } | { readonly problems: readonly TemplateProblem[] }

type Signal = 'break' | 'continue' | undefined

interface Variable {
  readonly name: string
  value: Value
}

const MOST_STEPS = 1_000_000
/** What a template may write, and what its functions may be given altogether. */
const MOST_CHARACTERS = 20 * 1024 * 1024
const MOST_PROBLEMS = 10

/**
 * Fills in a Go template as `text/template` does, where a variable that is not given is an error. What it takes:
 * `.name`, `$`, variables, pipes, `if`, `with`, `range`, comments, and the functions of `functions.ts`.
 */
export function fillIn(source: string, variables: ReadonlyMap<string, string>): FilledIn {
  const sorted = new Map([...variables].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b))))
  const filling = new Filling(sorted)
  try {
    const text = filling.run(parseTemplate(source))
    return filling.missing.length === 0 ? { text } : { problems: filling.missing.slice(0, MOST_PROBLEMS) }
  } catch (error) {
    if (isTemplateProblem(error)) return { problems: [...filling.missing, error].slice(0, MOST_PROBLEMS) }
    throw error
  }
}

class Filling {
  /** Variables that are not given: the filling in goes on, so that all are told. */
  readonly missing: TemplateProblem[] = []
  readonly #data: ReadonlyMap<string, string>
  readonly #variables: Variable[]
  readonly #written: string[] = []
  #characters = 0
  #given = 0
  #steps = 0

  constructor(data: ReadonlyMap<string, string>) {
    this.#data = data
    this.#variables = [{ name: '$', value: data }]
  }

  run(parts: readonly Part[]): string {
    this.#parts(parts, this.#data)
    return this.#written.join('')
  }

  #parts(parts: readonly Part[], dot: Value): Signal {
    for (const part of parts) {
      const signal = this.#part(part, dot)
      if (signal !== undefined) return signal
    }
    return undefined
  }

  #part(part: Part, dot: Value): Signal {
    switch (part.kind) {
      case 'text':
        this.#write(part.text, 0)
        return undefined
      case 'action': {
        const value = this.#assigned(part.pipeline, dot)
        if (part.pipeline.variables.length === 0) this.#write(textOf(value), part.pipeline.offset)
        return undefined
      }
      case 'if':
      case 'with':
      case 'range': {
        const outer = this.#variables.length
        const signal = part.kind === 'range' ? this.#range(part, dot) : this.#choose(part, dot)
        this.#variables.length = outer
        return signal
      }
      case 'break':
      case 'continue':
        return part.kind
    }
  }

  #choose(
    { kind, pipeline, body, otherwise }: Extract<Part, { kind: 'if' | 'with' | 'range' }>,
    dot: Value,
  ): Signal {
    const value = this.#assigned(pipeline, dot)
    if (!isTrue(value)) return this.#parts(otherwise, dot)
    return this.#parts(body, kind === 'with' ? value : dot)
  }

  #range(
    { pipeline, body, otherwise }: Extract<Part, { kind: 'if' | 'with' | 'range' }>,
    dot: Value,
  ): Signal {
    const over = this.#value(pipeline, dot)
    const { variables, declares, offset } = pipeline
    if (variables.length === 2 && typeof over === 'bigint') {
      throw new TemplateProblem(offset, '{{range}} over a number sets one variable, not two')
    }
    const outer = this.#variables.length
    let empty = true
    for (const [key, item] of itemsOf(over, offset)) {
      empty = false
      this.#variables.length = outer
      // One variable gets the item of a map, and of a number what it counts.
      const given = variables.length === 2 ? [key, item] : [item]
      for (const [position, name] of variables.entries()) this.#set(name, given[position] ?? item, declares)
      this.#step(offset)
      if (this.#parts(body, item) === 'break') break
    }
    this.#variables.length = outer
    return empty ? this.#parts(otherwise, dot) : undefined
  }

  #assigned(pipeline: Pipeline, dot: Value): Value {
    const value = this.#value(pipeline, dot)
    for (const name of pipeline.variables) this.#set(name, value, pipeline.declares)
    return value
  }

  #set(name: string, value: Value, declares: boolean): void {
    const known = declares ? undefined : this.#variables.findLast((variable) => variable.name === name)
    if (known === undefined) this.#variables.push({ name, value })
    else known.value = value
  }

  #value({ commands }: Pipeline, dot: Value): Value {
    let value: Value | undefined
    for (const command of commands) value = this.#command(command, dot, value)
    return value ?? ''
  }

  #command({ operands }: Command, dot: Value, piped: Value | undefined): Value {
    const [first, ...rest] = operands
    this.#step(first.offset)
    if (first.kind !== 'function') return this.#operand(first, dot)
    const { name, offset } = first
    if (name === 'and' || name === 'or') return this.#junction(name, rest, dot, piped, offset)
    const callee = FUNCTIONS.get(name)
    if (callee === undefined) throw new TypeError(`the parser let through the function ${name}`)
    const own = rest.map((operand) => this.#operand(operand, dot))
    const args = piped === undefined ? own : [...own, piped]
    this.#countGiven(args, offset)
    try {
      return callee(args)
    } catch (error) {
      if (!(error instanceof FormatProblem)) throw error
      throw new TemplateProblem(offset, `${name}: ${error.message}`)
    }
  }

  /** `and` and `or` stop at the first value that decides. */
  #junction(
    name: 'and' | 'or',
    operands: readonly Operand[],
    dot: Value,
    piped: Value | undefined,
    offset: number,
  ): Value {
    let value: Value | undefined
    for (const operand of operands) {
      value = this.#operand(operand, dot)
      if (isTrue(value) === (name === 'or')) return value
    }
    const last = piped ?? value
    if (last === undefined) throw new TemplateProblem(offset, `${name}: takes at least one value`)
    return last
  }

  #operand(operand: Operand, dot: Value): Value {
    switch (operand.kind) {
      case 'constant':
        return operand.value
      case 'nil':
        throw new TemplateProblem(operand.offset, 'nil is not taken', 'the empty text is written ""')
      case 'function':
        return this.#command({ operands: [operand] }, dot, undefined)
      case 'chain': {
        const { base, fields, offset } = operand
        return fields.reduce<Value>(
          (value, field) => this.#field(value, field, offset),
          this.#base(base, dot),
        )
      }
    }
  }

  #base(base: Base, dot: Value): Value {
    if (base.kind === 'dot') return dot
    if (base.kind === 'pipeline') return this.#value(base.pipeline, dot)
    const known = this.#variables.findLast(({ name }) => name === base.name)
    if (known === undefined) throw new TypeError(`the parser let through the variable ${base.name}`)
    return known.value
  }

  #field(value: Value, name: string, offset: number): Value {
    if (typeof value !== 'object') {
      throw new TemplateProblem(
        offset,
        `.${name} is looked for in ${kindOf(value)}`,
        `within range and with, a variable is written $.${name}`,
      )
    }
    const found = value.get(name)
    if (found !== undefined) return found
    const problem = new TemplateProblem(offset, `the template variable ${name} is not given`, undefined, name)
    const isTold = this.missing.some(({ variable }) => variable === name)
    if (!isTold && this.missing.length < MOST_PROBLEMS) this.missing.push(problem)
    return ''
  }

  #write(text: string, offset: number): void {
    this.#characters += text.length
    if (this.#characters > MOST_CHARACTERS)
      throw new TemplateProblem(offset, 'the template writes more than any job file may hold')
    this.#written.push(text)
  }

  /** A text that is made of itself again and again grows beyond all memory in a few steps. */
  #countGiven(args: readonly Value[], offset: number): void {
    for (const value of args) if (typeof value === 'string') this.#given += value.length
    if (this.#given > MOST_CHARACTERS)
      throw new TemplateProblem(offset, 'the template handles more text than any job file may hold')
  }

  #step(offset: number): void {
    this.#steps += 1
    if (this.#steps > MOST_STEPS)
      throw new TemplateProblem(offset, `the template takes more than ${MOST_STEPS} steps`)
  }
}

function* itemsOf(over: Value, offset: number): Generator<readonly [Value, Value]> {
  if (typeof over === 'object') yield* over
  else if (typeof over === 'bigint') for (let n = 0n; n < over; n += 1n) yield [n, n]
  else
    throw new TemplateProblem(
      offset,
      `{{range}} cannot go through ${kindOf(over)}`,
      'it goes through all variables (range $name, $value := .) or counts (range 3)',
    )
}
