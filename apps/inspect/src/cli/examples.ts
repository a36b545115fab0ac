/** Examples of each command; a test runs them all, in a directory with the files that they name. */
export const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  summary: ['saltcod-inspect summary ./repository', 'saltcod-inspect jobs.db'],
  jobs: [
    'saltcod-inspect jobs jobs.db --state Failed --limit 20',
    'saltcod-inspect jobs jobs.db --namespace default --label team=blue --since 7d',
    'saltcod-inspect jobs ./repository --output ndjson --all',
  ],
  job: ['saltcod-inspect job jobs.db nightly', 'saltcod-inspect job jobs.db nightly --output yaml'],
  executions: [
    'saltcod-inspect executions executions.db --in-progress',
    'saltcod-inspect executions jobs.db --job nightly',
  ],
  execution: ['saltcod-inspect execution executions.db e-1c9f63aa'],
  history: ['saltcod-inspect history jobs.db nightly', 'saltcod-inspect history executions.db e-1c9f63aa'],
  evaluations: ['saltcod-inspect evaluations jobs.db --status pending'],
  counts: ['saltcod-inspect counts ./repository --output json'],
  check: ['saltcod-inspect check ./repository', 'saltcod-inspect check jobs.db --output json'],
  why: ['saltcod-inspect why ./repository nightly', 'saltcod-inspect why executions.db e-1c9f63aa'],
  changes: [
    'saltcod-inspect changes jobs.db --since 1d',
    'saltcod-inspect changes jobs.db --output ndjson --all',
  ],
  recover: [
    'saltcod-inspect recover ./repository --plan',
    'saltcod-inspect recover executions.db --plan --preset documented --output csv',
  ],
  du: ['saltcod-inspect du ./repository', 'saltcod-inspect du jobs.db --age'],
  stats: ['saltcod-inspect stats jobs.db'],
  buckets: ['saltcod-inspect buckets jobs.db'],
  keys: ['saltcod-inspect keys jobs.db jobs', 'saltcod-inspect keys jobs.db index/jobByState --limit 10'],
  get: [
    'saltcod-inspect get jobs.db jobs job-nightly',
    `saltcod-inspect get jobs.db index/jobByName '["default","nightly"]'`,
  ],
  dump: [
    'saltcod-inspect dump jobs.db history',
    'saltcod-inspect dump jobs.db --all --output ndjson --format redacted',
  ],
  completion: ['saltcod-inspect completion bash'],
  info: ['saltcod-inspect info jobs.db'],
}
