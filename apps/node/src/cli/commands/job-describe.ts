import { HOLD_META, type WireExecution, type WireGetJobAnswer } from '@saltcod/bacalhau-records'
import {
  type Format,
  formatTable,
  indented,
  paint,
  printableOutput,
  printWhole,
  type Terminal,
} from '@saltcod/cli-kit'
import type { JobFlags } from '../configuration.ts'
import { clientFor } from '../configuration.ts'
import { getCommand, type KeptResults, keptResults, resultsText } from '../kept-results.ts'
import { tellMissing } from '../missing-records.ts'
import { whyText } from '../why-text.ts'
import { stateText, timeText } from '../words.ts'
import { executionColumns } from './job-executions.ts'
import { historyColumns } from './job-history.ts'

/** Options of `job describe`. */
export interface JobDescribeOptions extends JobFlags {
  readonly output: Format
  readonly wide?: boolean
  readonly version?: number
}

const NAME_WIDTH = 12

/** Tells all about a job: what it is, where its executions stand, what has happened. */
export async function jobDescribe(
  terminal: Terminal,
  id: string,
  options: JobDescribeOptions,
): Promise<void> {
  const { output, wide = false, namespace, version } = options
  const query = { namespace, job_version: version, include: 'executions,history', limit: 1000 }
  const client = clientFor(terminal, options)
  const answer = await client.getJob(id, query)
  const { ID, Version } = answer.Job
  const Executions = keptResults(answer.Executions?.Items ?? [], Version)
  const results = Executions.length === 0 ? {} : { Results: { Executions, Command: getCommand(ID) } }
  printDescription(terminal, { ...answer, ...results }, { output, wide })
  // Of what has ended its nodes are asked by `job why` alone.
  const isOver = /^(?:Completed|Failed|Stopped)$/.test(answer.Job.State.StateType)
  if (output !== 'table' || isOver || answer.Executions?.Items.length === 0) return
  const { Executions: onNodes } = await client.why(ID, {})
  printSection(terminal, 'What the nodes know', whyText(terminal, onNodes, true))
}

/** A job with what its command knows of its results, where there are some. */
interface DescribedJob extends WireGetJobAnswer {
  readonly Results?: { readonly Executions: readonly KeptResults[]; readonly Command: string }
}

/** Prints a job with its executions and its history. */
export function printDescription(
  terminal: Terminal,
  answer: DescribedJob,
  { output, wide }: { readonly output: Format; readonly wide: boolean },
): void {
  if (output !== 'table') {
    printWhole(terminal, output, answer)
    return
  }
  terminal.out(facts(answer))
  const executions = answer.Executions?.Items ?? []
  const section = (title: string, text: string): void => printSection(terminal, title, text)
  const table = <T>(
    items: readonly T[],
    columns: readonly { name: string; value: (item: T) => string }[],
  ) => {
    return formatTable(
      terminal,
      columns.map((column) => column.name),
      items.map((item) => columns.map((column) => column.value(item))),
    )
  }
  if (executions.length > 0) section('Executions', table(executions, executionColumns(wide)))
  const history = answer.History?.Items ?? []
  if (history.length > 0) section('History', table(history, historyColumns(wide)))
  for (const [title, text] of outputs(executions)) {
    section(title, terminal.outputIsTerminal ? printableOutput(text) : text)
  }
  tellMissing(terminal, (answer.Executions?.Missing ?? 0) + (answer.History?.Missing ?? 0))
}

function printSection(terminal: Terminal, title: string, text: string): void {
  terminal.out(`\n${paint(terminal, 'bold', title)}\n${text}`)
}

function facts({ Job: job, Executions, Results }: DescribedJob): string {
  const counts = new Map<string, number>()
  for (const execution of Executions?.Items ?? []) {
    const state = stateText(execution)
    counts.set(state, (counts.get(state) ?? 0) + 1)
  }
  const hold = job.Meta[HOLD_META]
  const rows: readonly (readonly [string, string])[] = [
    ['ID', job.ID],
    ['Name', job.Name],
    ['Namespace', job.Namespace],
    ['Type', job.Type],
    ['State', job.State.StateType],
    ['Message', job.State.Message],
    ...(hold === undefined ? [] : [['Held', hold] as const]),
    ['Count', String(job.Count)],
    ['Created', timeText(job.CreateTime)],
    ['Modified', timeText(job.ModifyTime)],
    ['Version', String(job.Version)],
    ['Executions', [...counts].map(([state, count]) => `${count} ${state}`).join(', ') || 'none'],
    ...(Results === undefined ? [] : [['Results', whereText(Results)] as const]),
  ]
  return rows
    .map(([name, value]) => `${name.padEnd(NAME_WIDTH)}${indented(value, NAME_WIDTH)}`.trimEnd())
    .join('\n')
    .concat('\n')
}

function whereText({ Executions, Command }: NonNullable<DescribedJob['Results']>): string {
  const { amount, nodes } = resultsText(Executions)
  return `${amount} on ${nodes}; ${Command} brings them`
}

function outputs(executions: readonly WireExecution[]): [string, string][] {
  const newest = executions.findLast((execution) => execution.RunOutput !== null)
  const output = newest?.RunOutput
  if (output === null || output === undefined) return []
  const part = (title: string, text: string, truncated: boolean): [string, string][] => {
    if (text === '') return truncated ? [[title, 'nothing of it was kept\n']] : []
    return [[truncated ? `${title} (its beginning)` : title, text.endsWith('\n') ? text : `${text}\n`]]
  }
  return [
    ...part('Standard output', output.Stdout, output.StdoutTruncated),
    ...part('Standard error', output.stderr, output.StderrTruncated),
  ]
}
