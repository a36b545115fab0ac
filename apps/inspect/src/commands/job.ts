import {
  formatTable,
  json,
  localTime,
  oneLine,
  paint,
  printValues,
  shortId,
  span,
  type Terminal,
} from '@saltcod/cli-kit'
import type { Execution, Job, Json } from '@saltcod/store-core'
import type { ReadOptions } from '../cli/options.ts'
import type { ExitCode } from '../exit-code.ts'
import type { JobReader } from '../source/record-reader.ts'
import type { JobSource } from '../source/record-source.ts'
import { openPlace } from '../store/archive.ts'
import { exitCodeText } from '../store/exit-code-of.ts'
import { findJobIn } from '../store/find-record.ts'
import { executionRow, jobRow, specOf } from '../store/rows.ts'
import { type Secrets, secretsOfJob } from '../store/secrets.ts'
import { readPages } from '../store/store-pages.ts'

/** Options of `job`. */
export interface JobOptions extends ReadOptions {
  readonly namespace: string
  readonly showSecrets?: boolean
  readonly archive?: string
}

const MAX_EXECUTIONS = 1_000

/** Tells all about a job. */
export async function job(
  terminal: Terminal,
  store: string,
  id: string,
  options: JobOptions,
): Promise<ExitCode | undefined> {
  const showSecrets = options.showSecrets === true
  const place = await openPlace(terminal, store, options.archive)
  const found: Told[] = []
  const visit = async ({ store: jobs, path }: JobSource, inStore: Job): Promise<void> => {
    const secrets = showSecrets ? null : await secretsOfJob(jobs, inStore.id)
    const executions = await executionsOf(terminal, jobs, inStore)
    found.push({ job: inStore, executions, secrets, source: path })
  }
  const code = await findJobIn(place, id, options.namespace, visit)
  printValues(terminal, options.output, found, {
    toRow: ({ job: told, executions, secrets, source }) => ({
      ...jobRow(told),
      spec: specOf(told.spec as Json, showSecrets),
      executions: executions.map((execution) => executionRow(execution, secrets)),
      ...(place.tellsSource ? { source } : {}),
    }),
    toText: ({ job: told, executions, source }) => {
      const from = place.tellsSource ? [['From', source]] : []
      return textOf(terminal, told, executions, specOf(told.spec as Json, showSecrets), from)
    },
  })
  return code
}

interface Told {
  readonly job: Job
  readonly executions: readonly Execution[]
  /** `null` where they are to be shown. */
  readonly secrets: Secrets | null
  /** The store or the archive that it is in. */
  readonly source: string
}

async function executionsOf(terminal: Terminal, store: JobReader, { id }: Job): Promise<Execution[]> {
  const found: Execution[] = []
  await readPages(
    terminal,
    { limit: MAX_EXECUTIONS, cursor: undefined },
    (request) => store.listExecutions({ jobId: id, ...request }),
    (execution) => found.push(execution),
  )
  return found
}

function textOf(
  terminal: Terminal,
  job: Job,
  executions: readonly Execution[],
  spec: unknown,
  from: readonly string[][],
): string {
  const nowMs = Date.now()
  const when = (timeMs: number | null): string =>
    timeMs === null
      ? '-'
      : `${localTime(timeMs)} (${span(Math.abs(nowMs - timeMs))} ${timeMs > nowMs ? 'to go' : 'ago'})`
  const facts: string[][] = [
    ['ID', job.id],
    ['Name', job.name],
    ['Namespace', job.namespace],
    ['Type', job.type],
    ['State', job.stateMessage === '' ? job.state : `${job.state}: ${oneLine(job.stateMessage)}`],
    ['Since', when(job.stateSinceMs)],
    ['Created', when(job.createdAtMs)],
    ['Finished', when(job.finishedAtMs)],
    ['Deadline', when(job.deadlineAtMs)],
    ['Version', `${job.version} (revision ${job.revision})`],
    ['Priority', String(job.priority)],
    ['Count', String(job.count)],
    [
      'Labels',
      Object.entries(job.labels)
        .map(([key, value]) => `${key}=${value}`)
        .join(', ') || '-',
    ],
    ['Held', job.hold ?? '-'],
    ...from,
  ]
  const rows = executions.map((execution) => [
    shortId(execution.id),
    shortId(execution.nodeId),
    execution.state,
    exitCodeText(execution),
    execution.endReason ?? '',
    execution.desiredState,
    span(nowMs - execution.stateSinceMs),
    oneLine(execution.stateMessage),
  ])
  const header = ['EXECUTION', 'NODE', 'STATE', 'EXIT', 'REASON', 'DESIRED', 'SINCE', 'MESSAGE']
  const table = rows.length === 0 ? 'none\n' : formatTable(terminal, header, rows)
  const title = (text: string): string => `\n${paint(terminal, 'bold', text)}\n`
  return `${formatTable(terminal, [], facts)}${title('Executions')}${table}${title('Specification')}${json(spec, 2)}\n`
}
