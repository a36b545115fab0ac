import { shortId } from '../display/short-id.ts'
import { span } from '../display/time.ts'
import type { Terminal } from '../terminal/terminal.ts'
import type { Format } from './format.ts'
import { type Column, RowPrinter } from './row-printer.ts'

/** What a restart would do with one execution, as far as a table tells it. */
export interface PlannedRecovery {
  readonly executionId: string
  readonly jobId: string
  readonly jobType: string
  readonly state: string
  readonly ageMs: number
  readonly action: string
  readonly reason: string
  readonly rule: string
}

/** A part of the plan of a restart. */
export interface PlannedRecoveries<T extends PlannedRecovery> {
  readonly decisions: readonly T[]
  /** Executions whose record is damaged. */
  readonly quarantined: readonly string[]
}

/** How the plan of a restart is printed. */
export interface RecoveryPrinterOptions<T extends PlannedRecovery> {
  readonly output: Format
  /** Whole ids in a table. */
  readonly wide?: boolean
  /** How a decision is printed whole (default: as it is). */
  readonly toRow?: (decision: T) => unknown
}

/** Prints what a restart would do, execution by execution. Call {@link RecoveryPrinter.end} after the last. */
export class RecoveryPrinter<T extends PlannedRecovery> {
  readonly #terminal: Terminal
  readonly #output: Format
  readonly #printer: RowPrinter<T>
  readonly #counts = new Map<string, number>()

  constructor(terminal: Terminal, { output, wide = false, toRow }: RecoveryPrinterOptions<T>) {
    this.#terminal = terminal
    this.#output = output
    this.#printer = new RowPrinter<T>(terminal, output, columns(output, wide), toRow)
  }

  /** Prints a plan, or the part of it that is about one store. */
  async add(plan: AsyncIterable<PlannedRecoveries<T>>): Promise<void> {
    for await (const { decisions, quarantined } of plan) {
      for (const decision of decisions) {
        this.#printer.add(decision)
        this.#counts.set(decision.action, (this.#counts.get(decision.action) ?? 0) + 1)
      }
      for (const id of quarantined)
        this.#terminal.err(`Warning: the record of ${id} is damaged, no restart touches it\n`)
    }
  }

  /** Finishes the listing, in a table with how often each action is taken. */
  end(): void {
    this.#printer.end('nothing to do: no execution is in progress')
    if (this.#output !== 'table' || this.#counts.size === 0) return
    const sums = [...this.#counts].map(([action, count]) => `${count} ${action}`)
    this.#terminal.out(`\nin all: ${sums.join(', ')}\n`)
  }
}

function columns(output: Format, wide: boolean): Column<PlannedRecovery>[] {
  const isCsv = output === 'csv'
  return [
    { name: 'EXECUTION', value: ({ executionId }) => shortId(executionId, wide || isCsv) },
    { name: 'JOB', value: ({ jobId }) => shortId(jobId, wide || isCsv) },
    { name: 'TYPE', value: ({ jobType }) => jobType },
    { name: 'STATE', value: ({ state }) => state },
    { name: 'AGE', value: ({ ageMs }) => (isCsv ? String(ageMs) : span(ageMs)) },
    { name: 'ACTION', value: ({ action }) => action },
    { name: 'REASON', value: ({ reason }) => reason },
    { name: 'RULE', value: ({ rule }) => rule },
  ]
}
