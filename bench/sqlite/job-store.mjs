import { randomUUID } from 'node:crypto'

/** How a job's record, its indexes, its history, evaluations and executions lie in tables. */
const SCHEMA = `
  CREATE TABLE jobs (
    id TEXT NOT NULL UNIQUE, namespace TEXT NOT NULL, type TEXT NOT NULL, ended INTEGER NOT NULL,
    created INTEGER NOT NULL, record TEXT NOT NULL);
  CREATE INDEX jobs_by_namespace ON jobs (namespace, created, id);
  CREATE INDEX jobs_in_progress ON jobs (type, created, id) WHERE ended = 0;
  CREATE TABLE labels (label TEXT, value TEXT, job TEXT, PRIMARY KEY (label, value, job)) WITHOUT ROWID;
  CREATE TABLE evaluations (id TEXT NOT NULL UNIQUE, job TEXT NOT NULL, status TEXT NOT NULL, record TEXT NOT NULL);
  CREATE INDEX evaluations_by_job ON evaluations (job);
  CREATE INDEX evaluations_pending ON evaluations (status) WHERE status = 'pending';
  CREATE TABLE executions (id TEXT NOT NULL UNIQUE, job TEXT NOT NULL, state TEXT NOT NULL, record TEXT NOT NULL);
  CREATE INDEX executions_by_job ON executions (job);
  CREATE TABLE history (job TEXT NOT NULL, time INTEGER NOT NULL, record TEXT NOT NULL);
  CREATE INDEX history_by_job ON history (job);
`

/** The requester's store in SQLite. No method begins a transaction. */
export class JobStore {
  #statements

  constructor(database) {
    database.exec(SCHEMA)
    const read = (sql) => database.prepare(sql).pluck()
    this.#statements = {
      job: read('SELECT record FROM jobs WHERE id = ?'),
      execution: read('SELECT record FROM executions WHERE id = ?'),
      addJob: database.prepare('INSERT INTO jobs VALUES (?, ?, ?, 0, ?, ?)'),
      addLabel: database.prepare('INSERT INTO labels VALUES (?, ?, ?)'),
      addEvaluation: database.prepare('INSERT INTO evaluations VALUES (?, ?, ?, ?)'),
      addExecution: database.prepare('INSERT INTO executions VALUES (?, ?, ?, ?)'),
      setExecution: database.prepare('UPDATE executions SET state = ?, record = ? WHERE id = ?'),
      addHistory: database.prepare('INSERT INTO history VALUES (?, ?, ?)'),
    }
  }

  /** Creates the job of a request, and a first evaluation where one is asked for; returns the job's id. */
  submit({ evaluation, event, ...request }) {
    const id = `j-${randomUUID()}`
    const now = Date.now()
    const job = {
      id,
      name: id,
      ...request,
      state: 'Pending',
      version: 1,
      revision: 1,
      createdAtMs: now,
      modifiedAtMs: now,
    }
    const { addJob, addLabel, addEvaluation } = this.#statements
    addJob.run(id, job.namespace, job.type, now, JSON.stringify(job))
    for (const [label, value] of Object.entries(job.labels)) addLabel.run(label, value, id)
    this.#note(id, { previous: null, state: job.state, revision: 1, event }, now)
    if (evaluation === null) return id
    const first = {
      id: `v-${randomUUID()}`,
      job: id,
      trigger: 'job-register',
      status: 'pending',
      createdAtMs: now,
    }
    addEvaluation.run(first.id, id, first.status, JSON.stringify(first))
    return id
  }

  /** Returns a job. */
  get(id) {
    return JSON.parse(this.#statements.job.get(id))
  }

  /** Creates an execution of a job that is there and returns its id. */
  createExecution({ event, ...request }) {
    const job = this.get(request.jobId)
    const id = `e-${randomUUID()}`
    const now = Date.now()
    const execution = {
      id,
      namespace: job.namespace,
      ...request,
      state: 'New',
      revision: 1,
      createdAtMs: now,
      modifiedAtMs: now,
    }
    this.#statements.addExecution.run(id, job.id, execution.state, JSON.stringify(execution))
    this.#note(job.id, { execution: id, previous: null, state: 'New', revision: 1, event }, now)
    return id
  }

  /** Moves an execution that is in the state `from`, and changes fields of it. */
  updateExecution({ executionId, from, to, event, patch = () => ({}) }) {
    const execution = JSON.parse(this.#statements.execution.get(executionId))
    if (execution.state !== from)
      throw new Error(`${executionId} is in state ${execution.state}, not ${from}`)
    const now = Date.now()
    const revision = execution.revision + 1
    Object.assign(execution, patch(execution), { state: to, revision, modifiedAtMs: now })
    this.#statements.setExecution.run(to, JSON.stringify(execution), executionId)
    this.#note(execution.jobId, { execution: executionId, previous: from, state: to, revision, event }, now)
  }

  #note(job, entry, now) {
    this.#statements.addHistory.run(job, now, JSON.stringify({ ...entry, atMs: now }))
  }
}
