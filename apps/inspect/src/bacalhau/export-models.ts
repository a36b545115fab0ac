import {
  executionToWire,
  historyToWire,
  type JobSpec,
  jobSchema,
  jobToWire,
  NEWEST_CLIENT,
  onlyTask,
  specOf,
} from '@saltcod/bacalhau-records'
import { countOf, json, Progress, printable, type Terminal } from '@saltcod/cli-kit'
import type { Job, Json, Page, PageRequest } from '@saltcod/store-core'
import { EXIT, type ExitCode } from '../exit-code.ts'
import type { JobSource } from '../source/record-source.ts'
import type { Sources } from '../source/sources.ts'
import { type TextOutput, textOutputTo } from '../store/new-text-file.ts'
import { redact } from '../store/redact.ts'
import { Secrets } from '../store/secrets.ts'

/** Options of an export of Bacalhau's models. */
export interface ExportModelsOptions {
  readonly showSecrets?: boolean
}

/** Jobs that are read at a time; of what belongs to one, as many as a page has. */
const JOBS_A_PAGE = 50
const PAGE = 1_000

/**
 * Writes every job as Bacalhau's API answers it, oldest first, a line each: `Job`, `History` and `Executions`. What
 * has no form there is named and left out; resolves with `findings` then.
 */
export async function exportModels(
  terminal: Terminal,
  sources: Sources,
  target: string | undefined,
  options: ExportModelsOptions,
): Promise<ExitCode> {
  const out = textOutputTo(terminal, target)
  const progress = new Progress(terminal, () => performance.now())
  const exported = { jobs: 0, leftOut: 0, hidden: 0 }
  let code: ExitCode | undefined
  try {
    code = await sources.eachOfJobs(async (source) => {
      const read = (request: PageRequest): Promise<Page<Job>> => source.store.listJobs(request)
      for await (const job of eachOf(terminal, read, JOBS_A_PAGE)) {
        const spec = jobSpecOf(job)
        if (spec === null) {
          exported.leftOut += 1
          terminal.err(
            `Warning: job ${job.id} has a specification that is none of Bacalhau's; it is left out\n`,
          )
          continue
        }
        await writeJob(terminal, out, source, { ...job, spec }, options, () => {
          exported.hidden += 1
        })
        exported.jobs += 1
        progress.show('jobs', exported.jobs, null)
      }
    })
    out.done()
  } catch (error) {
    out.discard()
    throw error
  } finally {
    progress.end()
  }
  if (exported.hidden > 0)
    terminal.err('environment variables and passwords are hidden; --show-secrets writes them\n')
  if (target !== undefined) terminal.out(`${printable(target)}: ${countOf(exported.jobs, 'job')}\n`)
  return code ?? (exported.leftOut + sources.leftOut === 0 ? EXIT.ok : EXIT.findings)
}

/** Writes one line in pieces: a job may have more executions than fit into memory. */
async function writeJob(
  terminal: Terminal,
  out: TextOutput,
  { store, nodeId }: JobSource,
  job: Job<JobSpec>,
  { showSecrets }: ExportModelsOptions,
  onHidden: () => void,
): Promise<void> {
  const secrets = showSecrets === true ? null : new Secrets().add(job.spec as unknown as Json)
  const safe = (value: unknown): Json =>
    secrets === null ? (value as Json) : redact(value as Json, onHidden)
  const jobId = job.id
  const taskName = onlyTask(job.spec).Name
  out.write(`{"Job":${json(safe(jobToWire(job, NEWEST_CLIENT, nodeId ?? '')))}`)
  out.write(',"History":{"NextToken":"","Items":[')
  let first = true
  const item = (value: Json): void => {
    out.write(`${first ? '' : ','}${json(value)}`)
    first = false
  }
  for await (const entry of eachOf(terminal, (request) => store.listHistory({ jobId, ...request }), PAGE))
    item(safe(historyToWire(entry, NEWEST_CLIENT)))
  out.write(']},"Executions":{"NextToken":"","Items":[')
  first = true
  const executions = (request: PageRequest) => store.listExecutions({ jobId, ...request })
  for await (const execution of eachOf(terminal, executions, PAGE)) {
    const wire = executionToWire(execution, taskName, NEWEST_CLIENT)
    const runOutput = secrets === null ? wire.RunOutput : secrets.blank(wire.RunOutput as unknown as Json)
    item({ ...(safe(wire) as Record<string, Json>), RunOutput: runOutput as Json })
  }
  out.write(']}}\n')
}

/** Reads page by page; of what is damaged it warns. */
async function* eachOf<T>(
  terminal: Terminal,
  read: (request: PageRequest) => Promise<Page<T>>,
  limit: number,
): AsyncGenerator<T> {
  let cursor: string | null = null
  do {
    const page: Page<T> = await read({ limit, cursor })
    yield* page.items
    for (const id of page.quarantined)
      terminal.err(`Warning: the record of ${printable(id)} is damaged and left out\n`)
    cursor = page.next
  } while (cursor !== null)
}

/** A store takes any specification; `null` where it is none of a node. Fields that came later are filled in. */
function jobSpecOf({ spec, name, namespace, type, priority, count, labels }: Job): JobSpec | null {
  if (typeof spec !== 'object' || spec === null) return null
  const read = jobSchema.safeParse({
    ...spec,
    ...{ Name: name, Namespace: namespace, Type: type, Priority: priority, Count: count, Labels: labels },
  })
  return read.success && read.data.Tasks.length > 0 ? specOf(read.data) : null
}
