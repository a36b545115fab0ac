import type { WireHistory } from '@saltcod/bacalhau-records'
import { indented, paint, printable, shortId, type Terminal } from '@saltcod/cli-kit'
import { rfcText } from './words.ts'

/** How the progress of a job is told: as it comes, execution by execution when it is over, or not at all. */
export type ProgressForm = 'live' | 'grouped' | 'none'

/** Prints what happens to a job. Call {@link JobProgress.end} after the last entry. */
export class JobProgress {
  readonly #terminal: Terminal
  readonly #form: ProgressForm
  /** What belongs to the job alone has the key ''. */
  readonly #groups = new Map<string, WireHistory[]>()

  constructor(terminal: Terminal, form: ProgressForm) {
    this.#terminal = terminal
    this.#form = form
  }

  /** Takes an entry of the history. */
  add(entry: WireHistory): void {
    if (this.#form === 'live') this.#print(entry)
    if (this.#form !== 'grouped') return
    const { ExecutionID = '' } = entry
    this.#groups.set(ExecutionID, [...(this.#groups.get(ExecutionID) ?? []), entry])
  }

  /** Prints what was kept for the end. */
  end(): void {
    for (const [executionId, entries] of this.#groups) {
      const title = executionId === '' ? 'Job' : `Execution ${shortId(executionId, false)}`
      this.#terminal.out(`${paint(this.#terminal, 'bold', printable(title))}\n`)
      for (const entry of entries) this.#print(entry)
    }
    this.#groups.clear()
  }

  #print({ Time, ExecutionID = '', Event }: WireHistory): void {
    const ids = this.#form === 'grouped' ? [] : [shortId(ExecutionID, false).padEnd(10)]
    const cells = [rfcText(Time).slice(11), ...ids, Event.Topic.padEnd(21)]
    const before = `  ${cells.map(printable).join('  ')}  `
    this.#terminal.out(`${before}${indented(Event.Message, before.length)}\n`)
  }
}
