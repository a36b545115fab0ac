/** Every table of a store, in both kinds of store. */
export const STORE_TABLES = [
  'meta',
  'jobs',
  'specs',
  'executions',
  'evaluations',
  'nodes',
  'history',
  'index',
  'counters',
  'feed',
  'outbox',
  'requests',
  'quarantine',
  'reclaim',
] as const

/** The name of a table. */
export type TableName = (typeof STORE_TABLES)[number]

/**
 * The secondary indexes, each a stretch of the table `index` that begins with its number. One table for all
 * keeps a commit small: the branch pages are shared. The parts behind the number stand in the comments.
 */
export const INDEX = {
  /** created, job */
  jobByCreation: 1,
  /** state, since, job */
  jobByState: 2,
  /** namespace, created, job */
  jobByNamespace: 3,
  /** namespace, name; the value is the job's id */
  jobByName: 4,
  /** label, value, created, job */
  jobByLabel: 5,
  /** type, created, job */
  jobInProgress: 6,
  /** namespace, state, finished, job */
  jobFinished: 7,
  /** namespace, submit key; the value is the job's id */
  jobBySubmitKey: 8,
  /** job, created, execution */
  executionByJob: 10,
  /** node, created, execution */
  executionByNode: 11,
  /** 0 or, once ended, 1, state, since, execution */
  executionByState: 12,
  /** execution; only folded ones. The value is the job's id, and the job's record has the execution */
  executionFolded: 13,
  /** job, sequence, evaluation */
  evaluationByJob: 20,
  /** type, minus priority, due, sequence; the value is the evaluation's id */
  evaluationReady: 21,
  /** due, sequence; the value is the evaluation's id */
  evaluationWaiting: 22,
  /** expiry, evaluation */
  evaluationLeased: 23,
  /** job; the value is the id of the one evaluation that is ready or leased */
  evaluationHead: 24,
  /** job, then 0, minus priority, due, sequence, or 1, due, sequence; the value is the evaluation's id */
  evaluationParked: 25,
  /** ended, evaluation */
  evaluationEnded: 26,
  /** evaluation; only those that were claimed with others when their process died */
  evaluationSuspect: 27,
  /** due, kind, id */
  deadline: 30,
  /** time, request id */
  requestByTime: 40,
  /** membership, node */
  nodeByMembership: 50,
} as const
