import { type ComputeExecution, type Execution, isStoreError, type Job } from '@saltcod/store-core'
import { EXIT } from '../exit-code.ts'
import { Failure } from '../failure.ts'
import { eachJobStore, eachStore, type OpenedJobs, type OpenedStore } from './open-store.ts'

/** Finds a job by name, id or short id in the stores that an argument means, and visits it. Throws `JOB_NOT_FOUND`. */
export async function findJobIn(
  argument: string,
  text: string,
  namespace: string,
  visit: (opened: OpenedJobs, job: Job) => Promise<void>,
): Promise<void> {
  let found = false
  await eachJobStore(argument, async (opened) => {
    const job = await orNothing(opened.store.findJob(text, namespace))
    if (job === undefined) return
    found = true
    await visit(opened, job)
  })
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

/** Turns "there is no such record" into `undefined`. */
export async function orNothing<T>(search: Promise<T>): Promise<T | undefined> {
  try {
    return await search
  } catch (error) {
    if (isStoreError(error, 'JOB_NOT_FOUND', 'EXECUTION_NOT_FOUND', 'EVALUATION_NOT_FOUND')) return undefined
    throw error
  }
}

/** Makes the error for a record that is in none of the stores. */
export function notFound(kind: string, text: string, argument: string, where = ''): Failure {
  const place = where === '' ? '' : ` by that id, or by that name ${where}`
  return new Failure(EXIT.findings, `there is no ${kind} ${text} in ${argument}${place}`, {
    hint: `list what is there with saltcod-inspect ${kind}s ${argument}`,
  })
}
