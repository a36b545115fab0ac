/** How the executions of a compute node lie in tables, with the index of those that a start looks for. */
const SCHEMA = `
  CREATE TABLE executions (id TEXT NOT NULL UNIQUE, job TEXT NOT NULL, state TEXT NOT NULL, record TEXT NOT NULL);
  CREATE INDEX executions_by_job ON executions (job);
  CREATE INDEX executions_live ON executions (id) WHERE state IN ('Running', 'Publishing');
  CREATE TABLE history (execution TEXT NOT NULL, time INTEGER NOT NULL, record TEXT NOT NULL);
  CREATE INDEX history_by_execution ON history (execution);
`

/** A compute node's store in SQLite. No method begins a transaction. */
export class ExecutionStore {
  #statements

  constructor(database) {
    database.exec(SCHEMA)
    this.#statements = {
      execution: database.prepare('SELECT record FROM executions WHERE id = ?').pluck(),
      addExecution: database.prepare('INSERT INTO executions VALUES (?, ?, ?, ?)'),
      setExecution: database.prepare('UPDATE executions SET state = ?, record = ? WHERE id = ?'),
      addHistory: database.prepare('INSERT INTO history VALUES (?, ?, ?)'),
    }
  }

  /** Creates an execution, with the job that caused it. */
  create(request) {
    const now = Date.now()
    const execution = { ...request, state: 'Created', revision: 1, createdAtMs: now, modifiedAtMs: now }
    const { id, job } = execution
    this.#statements.addExecution.run(id, job.id, execution.state, JSON.stringify(execution))
    this.#note(id, { previous: null, state: execution.state, revision: 1 }, now)
  }

  /** Moves an execution that is in the state `from`. */
  update({ executionId, from, to, event }) {
    const execution = JSON.parse(this.#statements.execution.get(executionId))
    if (execution.state !== from)
      throw new Error(`${executionId} is in state ${execution.state}, not ${from}`)
    const now = Date.now()
    const revision = execution.revision + 1
    Object.assign(execution, { state: to, revision, modifiedAtMs: now })
    this.#statements.setExecution.run(to, JSON.stringify(execution), executionId)
    this.#note(executionId, { previous: from, state: to, revision, event }, now)
  }

  #note(execution, entry, now) {
    this.#statements.addHistory.run(execution, now, JSON.stringify({ ...entry, atMs: now }))
  }
}
