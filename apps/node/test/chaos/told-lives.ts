import { existsSync, readFileSync } from 'node:fs'

/** What a native run wrote outside of itself. */
export interface ToldLife {
  readonly attempt: number
  begins: number
  /** The exit code that each end names. */
  readonly ends: number[]
}

/** What all native runs wrote, by their executions. */
export class ToldLives {
  /** Lines of runs that met another one of their job. */
  readonly overlaps: readonly string[]
  readonly #lives = new Map<string, ToldLife[]>()
  readonly #executionsOf = new Map<string, Set<string>>()

  constructor(path: string) {
    const lines = existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n').filter(Boolean) : []
    this.overlaps = lines.filter((line) => !/^(?:begin|end) /.test(line))
    for (const line of lines) this.#take(line.split(' '))
  }

  #take([word = '', name = '', marker = '', code = '']: readonly string[]): void {
    const [execution = '', attempt = ''] = marker.split(':')
    this.#executionsOf.set(name, (this.#executionsOf.get(name) ?? new Set()).add(execution))
    const lives = this.#lives.get(execution) ?? []
    this.#lives.set(execution, lives)
    let life = lives.find((one) => one.attempt === Number(attempt))
    if (life === undefined) {
      life = { attempt: Number(attempt), begins: 0, ends: [] }
      lives.push(life)
    }
    if (word === 'begin') life.begins += 1
    else if (word === 'end') life.ends.push(Number(code))
  }

  /** The attempts of an execution that wrote anything, in the order of their beginnings. */
  of(execution: string): readonly ToldLife[] {
    return this.#lives.get(execution) ?? []
  }

  /** The executions of a job that wrote anything. */
  executionsOf(name: string): ReadonlySet<string> {
    return this.#executionsOf.get(name) ?? new Set()
  }
}
