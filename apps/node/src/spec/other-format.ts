/** Something that is no job, although it may lie where one is looked for. */
export interface OtherFormat {
  /** What it is, to be read after "is". */
  readonly what: string
  readonly hint: string
}

const JOB_KEYS = 'a job has name, type, count and tasks, and each task an engine with type and params'

/** The settings of a Bacalhau node of any release that no job has. */
const NODE_SETTINGS = [
  'API',
  'Auth',
  'Compute',
  'DisableAnalytics',
  'Engines',
  'FeatureFlags',
  'JobAdmissionControl',
  'JobDefaults',
  'Logging',
  'Metrics',
  'NameProvider',
  'Node',
  'Orchestrator',
  'Publishers',
  'ResultDownloaders',
  'StrictVersionMatch',
  'UpdateConfig',
  'User',
  'WebUI',
].map((key) => key.toLowerCase())

const SET_BY_NODE: ReadonlySet<string> = new Set([
  'id',
  'state',
  'version',
  'revision',
  'createtime',
  'modifytime',
])

/**
 * Says what an object is that is no job but looks like something that people take for one; `undefined` of anything
 * else.
 */
export function otherFormat(value: object): OtherFormat | undefined {
  const keys = new Map(Object.entries(value).map(([key, inner]) => [key.toLowerCase(), inner as unknown]))
  if (keys.has('apiversion') && keys.has('kind')) {
    return {
      what: `a Kubernetes object${wordOf(keys.get('kind'))}, not a job`,
      hint: `write its container as a job; ${JOB_KEYS}`,
    }
  }
  if (keys.has('tasks') || keys.has('type')) return undefined
  return withoutTasks(keys)
}

/** Tells whether a key at the top of a job is one that only a node sets; jobs have it as nodes answer them. */
export function isSetByNode(key: string): boolean {
  return SET_BY_NODE.has(key.toLowerCase())
}

function withoutTasks(keys: ReadonlyMap<string, unknown>): OtherFormat | undefined {
  if (isObject(keys.get('job'))) {
    return {
      what: 'a job below a key Job, as nodes answer it',
      hint: 'take away the key Job and what stands beside it; to run a job again: saltcod job rerun ID',
    }
  }
  const spec = keys.get('spec')
  if (isObject(spec) || keys.has('apiversion')) {
    return {
      what: `a job of Bacalhau before 1.1${wordOf(keys.get('apiversion'))}`,
      hint: `write its Spec as a task: Engine and Docker or Wasm become engine, Inputs become inputSources; ${JOB_KEYS}`,
    }
  }
  if (keys.has('engine') || keys.has('enginespec') || keys.has('docker') || keys.has('wasm')) {
    return {
      what: 'a single task, or the Spec of a job of Bacalhau before 1.1',
      hint: `put it into the tasks of a job; ${JOB_KEYS}`,
    }
  }
  if (isObject(keys.get('services'))) {
    return { what: 'a file of Docker Compose, not a job', hint: `write a job for each service; ${JOB_KEYS}` }
  }
  const settings = NODE_SETTINGS.filter((key) => keys.has(key))
  if (settings.length === 0) return undefined
  return {
    what: 'a configuration of a node, not a job',
    hint: 'give a configuration to --config of saltcod serve, and here a job',
  }
}

function wordOf(value: unknown): string {
  return typeof value === 'string' && /^[\w./-]{1,40}$/.test(value) ? ` (${value})` : ''
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
