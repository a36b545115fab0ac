import { readFileSync } from 'node:fs'

const job = JSON.parse(readFileSync(new URL('./fixtures/job.json', import.meta.url), 'utf8'))

/** What the store never reads: the same data that the peer has in fields of its own. */
const spec = { meta: job.Meta, constraints: job.Constraints, tasks: job.Tasks }

const resources = { tasks: { main: { cpu: 0.5, memory: 512_000_000 } } }

/** The node that does all the work, under the name that the peer's rows have too. */
export const NODE_ID = 'n-6d3f1f0c-9a57-4b7e-8f39-0a1b2c3d4e5f'

/** A request to create the job of `fixtures/job.json`, with its first evaluation unless told otherwise. */
export function jobRequest(evaluation) {
  return {
    namespace: job.Namespace,
    type: job.Type,
    priority: job.Priority,
    count: job.Count,
    labels: job.Labels,
    spec,
    event: { message: 'Job submitted', topic: 'Submission' },
    ...(evaluation === undefined ? {} : { evaluation }),
  }
}

/** A request to create a job that says little, with its first evaluation unless told otherwise. */
export function smallJobRequest(evaluation) {
  return { type: 'batch', spec: { engine: 'noop' }, ...(evaluation === undefined ? {} : { evaluation }) }
}

/** A request to create an execution of a job on the requester. */
export function executionRequest(jobId) {
  return {
    jobId,
    nodeId: NODE_ID,
    resources,
    event: { message: `Requested execution on ${NODE_ID}`, topic: 'Scheduling' },
  }
}

/** A request to create an execution of a job on a compute node, the job's specification in it. */
export function computeExecutionRequest(id, jobId) {
  return {
    id,
    requesterId: NODE_ID,
    resources,
    job: {
      id: jobId,
      version: 1,
      namespace: job.Namespace,
      name: jobId,
      type: job.Type,
      priority: job.Priority,
      spec,
    },
  }
}

/** What an execution leaves behind when it completes. */
export function completion(jobId, executionId) {
  return {
    publishedResult: {
      type: 's3',
      params: { bucket: 'results', key: `wordcount/${jobId}/${executionId}`, region: 'eu-west-1' },
    },
    runOutput: {
      stdout: 'counted 1,048,576 words in 3 files, 48,211 distinct\n',
      stdoutTruncated: false,
      stderr: '',
      stderrTruncated: false,
      exitCode: 0,
      errorMsg: '',
    },
  }
}

/** What the requester notes of an execution that completed: it is wanted no more, and what it leaves behind. */
export function completedPatch(jobId, executionId) {
  return {
    desiredState: 'Stopped',
    desiredMessage: 'execution completed',
    ...completion(jobId, executionId),
  }
}

/** The way of an execution through the compute store behind `Created`, with what is said at each step. */
export const COMPUTE_LIFE = [
  { to: 'BidAccepted', message: 'bid accepted' },
  { to: 'Running', message: 'execution started' },
  { to: 'Publishing', message: 'publishing the results' },
  { to: 'Completed', message: 'execution completed' },
]

/** The same on the requester, behind `New`. */
export const REQUESTER_LIFE = ['AskForBid', 'AskForBidAccepted', 'BidAccepted', 'Completed']
