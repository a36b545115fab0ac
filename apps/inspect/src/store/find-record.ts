import { Failure, type Terminal } from '@saltcod/cli-kit'
import type { ComputeExecution, Execution, Job, Page } from '@saltcod/store-core'
import { EXIT, type ExitCode } from '../exit-code.ts'
import type { ExecutionSource, JobSource, RecordSource } from '../source/record-source.ts'
import { Sources } from '../source/sources.ts'
import { findArchivedJob, type Place } from './archive.ts'
import { orNothing } from './or-nothing.ts'

const SHORT_JOB_ID = /^j-[0-9a-f]{4,}[0-9a-f-]*$/

/**
 * Finds a job by name, id or short id in the stores that an argument means, then in an archive, and visits it. Throws
 * `JOB_NOT_FOUND`.
 */
export async function findJobIn(
  { argument, sources, archive }: Pick<Place, 'argument' | 'sources' | 'archive'>,
  text: string,
  namespace: string,
  visit: (source: JobSource, job: Job) => Promise<void>,
): Promise<ExitCode | undefined> {
  let found = false
  const look = async (source: JobSource): Promise<void> => {
    const job = await orNothing(source.store.findJob(text, namespace))
    if (job === undefined) return
    found = true
    await visit(source, job)
  }
  const code = await sources?.eachOfJobs(look)
  if (!found && archive !== null) {
    const archived = await findArchivedJob(archive, text, namespace)
    if (archived !== null) await look(archived)
  }
  if (!found) throw notFound('job', text, argument, `in namespace ${namespace}`, code)
  return code
}

/**
 * Finds the id of the job that a text means, also where a store of executions alone knows of it: id, name or short id.
 * Throws a `Failure` where none has it, or several have.
 */
export async function findJobId(
  { argument, sources, archive }: Place,
  text: string,
  namespace: string,
): Promise<string> {
  let id: string | undefined
  const look = async (source: RecordSource): Promise<void> => {
    if (source.kind === 'jobs') id ??= (await orNothing(source.store.findJob(text, namespace)))?.id
    else id ??= await jobOfExecutions(source, text, namespace)
  }
  const code = await sources?.each(look)
  if (id === undefined && archive !== null) {
    const archived = await findArchivedJob(archive, text, namespace)
    if (archived !== null) await look(archived)
  }
  if (id === undefined) throw notFound('job', text, argument, `in namespace ${namespace}`, code)
  return id
}

/** A compute node keeps what it needs of a job with each of its executions. */
async function jobOfExecutions(
  { store }: ExecutionSource,
  text: string,
  namespace: string,
): Promise<string | undefined> {
  const [exact] = (await store.listExecutions({ jobId: text, limit: 1 })).items
  if (exact !== undefined) return text
  const named = new Set<string>()
  const begun = new Set<string>()
  let cursor: string | null = null
  do {
    const page: Page<ComputeExecution> = await store.listExecutions({ limit: 1_000, cursor, reverse: true })
    for (const { job } of page.items) {
      if (job.name === text && job.namespace === namespace) named.add(job.id)
      if (SHORT_JOB_ID.test(text) && job.id.startsWith(text)) begun.add(job.id)
    }
    cursor = page.next
  } while (cursor !== null)
  // Of several jobs that had the name one after the other, the newest has it.
  const [newest] = named
  if (newest !== undefined || begun.size <= 1) return newest ?? [...begun][0]
  throw new Failure(EXIT.usage, `several jobs have ids that begin with ${text}`, {
    hint: `give more of the id: ${[...begun].slice(0, 5).join(', ')}`,
  })
}

/**
 * Finds an execution by id or short id in the stores that an argument means, and visits each. Throws
 * `EXECUTION_NOT_FOUND`.
 */
export async function findExecutionIn(
  terminal: Terminal,
  argument: string,
  text: string,
  visit: (source: RecordSource, execution: Execution | ComputeExecution) => Promise<void>,
): Promise<ExitCode | undefined> {
  let found = false
  const code = await new Sources(terminal, argument).each(async (source) => {
    const execution = await orNothing<Execution | ComputeExecution>(source.store.findExecution(text))
    if (execution === undefined) return
    found = true
    await visit(source, execution)
  })
  if (!found) throw notFound('execution', text, argument, '', code)
  return code
}

/** Makes the error for a record that is in none of the stores that could be read. */
export function notFound(
  kind: string,
  text: string,
  argument: string,
  where = '',
  exitCode: ExitCode = EXIT.findings,
): Failure {
  const place = where === '' ? '' : ` by that id, or by that name ${where}`
  if (/^[jev]-[0-9a-f]{0,3}$/.test(text)) {
    return new Failure(exitCode, `${text} is too short to be the beginning of an id`, {
      hint: `give four digits or more, as saltcod-inspect ${kind}s ${argument} prints them`,
    })
  }
  return new Failure(exitCode, `there is no ${kind} ${text} in ${argument}${place}`, {
    hint: `list what is there with saltcod-inspect ${kind}s ${argument}${kind === 'job' ? ', and look in an archive with --archive' : ''}`,
  })
}
