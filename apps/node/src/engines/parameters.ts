import type { SpecConfig } from './task.ts'

/**
 * Reads the parameters of an engine: names in any case, null as absent, as Bacalhau's own clients send them.
 * What does not fit is noted in `problems` and read as absent.
 */
export class Parameters {
  readonly problems: string[] = []
  readonly #engine: string
  readonly #values = new Map<string, unknown>()

  constructor(engine: string, params: SpecConfig['Params']) {
    this.#engine = engine
    for (const [name, value] of Object.entries(params ?? {})) this.#values.set(name.toLowerCase(), value)
  }

  /** The value as it is; undefined when absent or null. */
  value(name: string): unknown {
    return this.#values.get(name.toLowerCase()) ?? undefined
  }

  /** A text; undefined when absent. */
  text(name: string): string | undefined {
    const value = this.value(name)
    if (value === undefined || typeof value === 'string') return this.#withoutNul(name, value)
    return this.#problem(name, 'must be a text')
  }

  /** A list of texts; empty when absent. */
  texts(name: string): readonly string[] {
    const value = this.value(name)
    if (value === undefined) return []
    if (Array.isArray(value) && value.every((item) => typeof item === 'string')) {
      return value.every((item) => this.#withoutNul(name, item) !== undefined) ? value : []
    }
    return this.#problem(name, 'must be a list of texts') ?? []
  }

  /** A whole number from `min` to `max`; undefined when absent. */
  integer(name: string, min: number, max: number): number | undefined {
    const value = this.value(name)
    if (value === undefined) return undefined
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value
    return this.#problem(name, `must be a whole number from ${min} to ${max}`)
  }

  /** Notes a problem with one parameter. */
  reject(name: string, what: string): void {
    this.problems.push(`${this.#engine}: ${name} ${what}`)
  }

  #problem(name: string, what: string): undefined {
    this.reject(name, what)
    return undefined
  }

  #withoutNul(name: string, text: string | undefined): string | undefined {
    return text?.includes('\0') ? this.#problem(name, 'must not hold a NUL character') : text
  }
}
