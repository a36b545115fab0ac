import { type Column, localTime, RowPrinter, shortId, span, type Terminal } from '@saltcod/cli-kit'
import type { Evaluation, EvaluationStatus, Page, PageRequest } from '@saltcod/store-core'
import { type ListOptions, pagingOf } from '../cli/options.ts'
import { messageText, rfcTime } from '../cli/words.ts'
import type { ExitCode } from '../exit-code.ts'
import { Sources } from '../source/sources.ts'
import { orNothing } from '../store/or-nothing.ts'
import { evaluationRow } from '../store/rows.ts'
import { StorePages } from '../store/store-pages.ts'

/** Options of `evaluations`. */
export interface EvaluationsOptions extends ListOptions {
  readonly status?: EvaluationStatus
  readonly job?: string
}

/** Lists evaluations. */
export async function evaluations(
  terminal: Terminal,
  store: string,
  options: EvaluationsOptions,
): Promise<ExitCode | undefined> {
  const printer = new RowPrinter(terminal, options.output, columns(options), evaluationRow)
  const pages = new StorePages(terminal, pagingOf(options))
  let missing: ExitCode | undefined
  const code = await new Sources(terminal, store).eachOfJobs(async (opened, total) => {
    const { job, status } = options
    const found = job === undefined ? undefined : await orNothing(opened.store.findJob(job))
    const query = {
      ...(status === undefined ? {} : { status }),
      ...(job === undefined ? {} : { jobId: found?.id ?? job }),
    }
    const read = (request: PageRequest): Promise<Page<Evaluation>> =>
      opened.store.listEvaluations({ ...query, ...request })
    const met = await pages.read(opened.storeId, total === 1, read, (evaluation) => printer.add(evaluation))
    const states = status === undefined ? undefined : [status]
    const whole = { kind: 'evaluation', states, met, read } as const
    if (job === undefined) missing = (await opened.tellMissing(terminal, whole)) ?? missing
  })
  printer.flush()
  pages.end()
  printer.end('no evaluations fit')
  return code ?? missing
}

function columns({ output, wide }: EvaluationsOptions): Column<Evaluation>[] {
  const nowMs = Date.now()
  const csv = output === 'csv'
  const whole = csv || wide === true
  const time = (timeMs: number): string => (csv ? (rfcTime(timeMs) ?? '') : localTime(timeMs))
  return [
    { name: 'ID', value: ({ id }) => shortId(id, whole) },
    { name: 'JOB', value: ({ jobId }) => shortId(jobId, whole) },
    { name: 'STATUS', value: ({ status }) => status },
    { name: 'TRIGGER', value: ({ trigger }) => trigger },
    { name: 'PRIORITY', value: ({ priority }) => String(priority) },
    { name: 'ATTEMPT', value: ({ attempt }) => String(attempt) },
    { name: 'DUE', value: ({ dueAtMs }) => time(dueAtMs) },
    {
      name: 'LEASE',
      value: ({ lease }) => {
        if (lease === null) return ''
        const left = lease.expiresAtMs - nowMs
        return `${lease.holder}, ${left > 0 ? `${span(left)} left` : 'ran out'}`
      },
    },
    { name: 'COMMENT', value: ({ comment }) => messageText(comment, { output, wide: true }) },
  ]
}
