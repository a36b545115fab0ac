import type { ComputeExecution, Execution, Job } from '@saltcod/store-core'
import { EXIT } from '../exit-code.ts'
import { Failure } from '../failure.ts'
import { findArchivedJob, type Place } from './archive.ts'
import { eachJobStore, eachStore, type OpenedJobs, type OpenedStore } from './open-store.ts'
import { orNothing } from './or-nothing.ts'

/** Finds a job by name, id or short id in the stores that an argument means, then in an archive, and visits it. Throws `JOB_NOT_FOUND`. */
export async function findJobIn(
  argument: string,
  text: string,
  namespace: string,
  visit: (opened: OpenedJobs, job: Job) => Promise<void>,
  place: Place = { store: argument, archive: null },
): Promise<void> {
  let found = false
  const look = async (opened: OpenedJobs): Promise<void> => {
    const job = await orNothing(opened.store.findJob(text, namespace))
    if (job === undefined) return
    found = true
    await visit(opened, job)
  }
  if (place.store !== null) await eachJobStore(place.store, look)
  if (!found && place.archive !== null) {
    const archived = await findArchivedJob(place.archive, text, namespace)
    if (archived !== null) await look(archived)
  }
  if (!found) throw notFound('job', text, argument, `in namespace ${namespace}`)
}

/** Finds an execution by id or short id in the stores that an argument means, and visits each. Throws `EXECUTION_NOT_FOUND`. */
export async function findExecutionIn(
  argument: string,
  text: string,
  visit: (opened: OpenedStore, execution: Execution | ComputeExecution) => Promise<void>,
): Promise<void> {
  let found = false
  await eachStore(argument, async (opened) => {
    const execution = await orNothing<Execution | ComputeExecution>(opened.store.findExecution(text))
    if (execution === undefined) return
    found = true
    await visit(opened, execution)
  })
  if (!found) throw notFound('execution', text, argument)
}

/** Makes the error for a record that is in none of the stores. */
export function notFound(kind: string, text: string, argument: string, where = ''): Failure {
  const place = where === '' ? '' : ` by that id, or by that name ${where}`
  if (/^[jev]-[0-9a-f]{0,3}$/.test(text)) {
    return new Failure(EXIT.findings, `${text} is too short to be the beginning of an id`, {
      hint: `give four digits or more, as saltcod-inspect ${kind}s ${argument} prints them`,
    })
  }
  return new Failure(EXIT.findings, `there is no ${kind} ${text} in ${argument}${place}`, {
    hint: `list what is there with saltcod-inspect ${kind}s ${argument}${kind === 'job' ? ', and look in an archive with --archive' : ''}`,
  })
}
