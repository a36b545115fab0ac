import { FUNCTION_NAMES } from './functions.ts'
import type { Base, Command, Operand, Pipeline } from './node.ts'
import { TemplateProblem } from './problem.ts'
import type { Token } from './token.ts'

const DEEPEST = 100

/** Reads what stands within {{ }}, or behind its `if`, `with` or `range`. */
export class PipelineReader {
  readonly #tokens: readonly Token[]
  readonly #offset: number
  readonly #known: readonly string[]
  #at = 0
  #depth = 0

  constructor(tokens: readonly Token[], offset: number, known: readonly string[]) {
    this.#tokens = tokens
    this.#offset = offset
    this.#known = known
  }

  read(ofRange: boolean): Pipeline {
    const { variables, declares } = this.#variables(ofRange)
    const commands = this.#commands()
    const more = this.#tokens[this.#at]
    if (more !== undefined) throw new TemplateProblem(more.offset, `${more.text} stands where it cannot`)
    return { commands, variables, declares, offset: this.#offset }
  }

  #variables(ofRange: boolean): { readonly variables: readonly string[]; readonly declares: boolean } {
    const [first, second, third, fourth] = this.#tokens
    const isVariable = (token: Token | undefined): token is Token => token?.kind === 'variable'
    const assigns = (token: Token | undefined): boolean =>
      token?.kind === 'mark' && (token.text === ':=' || token.text === '=')
    if (isVariable(first) && assigns(second)) {
      this.#at = 2
      return this.#assigned([first], second?.text === ':=')
    }
    if (ofRange && isVariable(first) && second?.text === ',' && isVariable(third) && assigns(fourth)) {
      this.#at = 4
      return this.#assigned([first, third], fourth?.text === ':=')
    }
    return { variables: [], declares: false }
  }

  #assigned(
    tokens: readonly Token[],
    declares: boolean,
  ): { readonly variables: readonly string[]; readonly declares: boolean } {
    for (const token of tokens) {
      if (token.text === '$') throw new TemplateProblem(token.offset, '$ cannot be set')
      if (!declares) this.#mustBeKnown(token)
    }
    return { variables: tokens.map(({ text }) => text), declares }
  }

  #mustBeKnown({ text, offset }: Token): void {
    if (!this.#known.includes(text))
      throw new TemplateProblem(
        offset,
        `${text} is not set before it is used`,
        `set it with {{${text} := ...}}`,
      )
  }

  #commands(): readonly Command[] {
    const commands = [this.#command()]
    while (this.#tokens[this.#at]?.text === '|' && this.#tokens[this.#at]?.kind === 'mark') {
      this.#at += 1
      commands.push(this.#command())
    }
    for (const { operands } of commands.slice(1)) {
      const [{ kind, offset }] = operands
      if (kind !== 'function')
        throw new TemplateProblem(offset, 'behind | a function must stand, such as printf')
    }
    return commands
  }

  #command(): Command {
    const operands: Operand[] = []
    for (;;) {
      const token = this.#tokens[this.#at]
      const { kind, text } = token ?? {}
      if (token === undefined || (kind === 'mark' && (text === '|' || text === ')'))) break
      if (operands.length > 0 && !token.spaced)
        throw new TemplateProblem(token.offset, `a space is missing before ${token.text}`)
      operands.push(this.#operand(token))
    }
    const [first, ...rest] = operands
    if (first === undefined)
      throw new TemplateProblem(
        this.#tokens[this.#at]?.offset ?? this.#offset,
        'a value or a function is missing',
      )
    if (rest.length > 0 && first.kind !== 'function') {
      throw new TemplateProblem(
        rest[0]?.offset ?? first.offset,
        'several values stand side by side, and no function takes them',
        'write them in a {{ }} each',
      )
    }
    return { operands: [first, ...rest] }
  }

  #operand(token: Token): Operand {
    const { kind, text, offset } = token
    this.#at += 1
    switch (kind) {
      case 'text':
        return { kind: 'constant', value: text, offset }
      case 'number':
        return { kind: 'constant', value: numberOf(text, offset), offset }
      case 'dot':
        return { kind: 'chain', base: { kind: 'dot' }, fields: [], offset }
      case 'field':
        return { kind: 'chain', base: { kind: 'dot' }, fields: [text.slice(1), ...this.#fields()], offset }
      case 'variable':
        this.#mustBeKnown(token)
        return { kind: 'chain', base: { kind: 'variable', name: text }, fields: this.#fields(), offset }
      case 'word':
        return wordOperand(text, offset)
      case 'mark':
        if (text !== '(') throw new TemplateProblem(offset, `${text} stands where it cannot`)
        return { kind: 'chain', base: this.#parentheses(offset), fields: this.#fields(), offset }
    }
  }

  #parentheses(offset: number): Base {
    this.#depth += 1
    if (this.#depth > DEEPEST) throw new TemplateProblem(offset, `( is nested more than ${DEEPEST} deep`)
    const commands = this.#commands()
    const close = this.#tokens[this.#at]
    if (close?.text !== ')' || close.kind !== 'mark') throw new TemplateProblem(offset, '( is not closed')
    this.#at += 1
    this.#depth -= 1
    return { kind: 'pipeline', pipeline: { commands, variables: [], declares: false, offset } }
  }

  /** Reads the fields that stand directly behind a value. */
  #fields(): readonly string[] {
    const fields: string[] = []
    for (;;) {
      const token = this.#tokens[this.#at]
      if (token?.kind !== 'field' || token.spaced) return fields
      fields.push(token.text.slice(1))
      this.#at += 1
    }
  }
}

function wordOperand(text: string, offset: number): Operand {
  if (text === 'true' || text === 'false') return { kind: 'constant', value: text === 'true', offset }
  if (text === 'nil') return { kind: 'nil', offset }
  if (!FUNCTION_NAMES.includes(text)) throw unknownFunction(text, offset)
  return { kind: 'function', name: text, offset }
}

function numberOf(text: string, offset: number): bigint | number {
  const plain = text.replaceAll('_', '').replace(/^\+/, '')
  const [sign, digits] = plain.startsWith('-') ? [-1n, plain.slice(1)] : [1n, plain]
  const octal = /^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits
  if (/^(?:0[xX][\da-fA-F]+|0[bB][01]+|0[oO][0-7]+|\d+)$/.test(octal)) {
    if (/^0\d/.test(octal)) throw new TemplateProblem(offset, `${text} is no number`)
    const value = sign * BigInt(octal)
    if (BigInt.asIntN(64, value) !== value) throw new TemplateProblem(offset, `${text} is too large`)
    return value
  }
  const value = Number(plain)
  if (!Number.isFinite(value)) throw new TemplateProblem(offset, `${text} is no number`)
  return value
}

function unknownFunction(name: string, offset: number): TemplateProblem {
  const hints: Readonly<Record<string, string>> = {
    default: 'write {{or (index . "NAME") "default"}}',
    env: 'take variables of the environment by --template-envs, and write {{.NAME}}',
    quote: 'write {{printf "%q" .NAME}}',
  }
  return new TemplateProblem(
    offset,
    `the function ${name} is not known`,
    hints[name] ?? `there are ${FUNCTION_NAMES.join(', ')}; a variable has a dot: {{.${name}}}`,
  )
}
