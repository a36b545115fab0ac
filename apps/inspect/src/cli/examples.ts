/** Examples of each command; a test runs them all, in a directory with the files that they name. */
export const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  summary: ['saltcod-inspect summary ./repository', 'saltcod-inspect jobs.db'],
  jobs: [
    'saltcod-inspect jobs jobs.db --state Failed --limit 20',
    'saltcod-inspect jobs jobs.db --namespace default --label team=blue --since 7d',
    'saltcod-inspect jobs ./repository --output ndjson --all',
    'saltcod-inspect jobs ./repository --archive ./archive --state Completed',
  ],
  job: [
    'saltcod-inspect job jobs.db nightly',
    'saltcod-inspect job jobs.db nightly --output yaml',
    'saltcod-inspect job jobs.db yesterday --archive ./archive',
  ],
  executions: [
    'saltcod-inspect executions executions.db --in-progress',
    'saltcod-inspect executions jobs.db --job nightly',
    'saltcod-inspect executions ./archive',
  ],
  execution: ['saltcod-inspect execution executions.db e-1c9f63aa'],
  history: [
    'saltcod-inspect history jobs.db nightly',
    'saltcod-inspect history executions.db e-1c9f63aa',
    'saltcod-inspect history jobs.db yesterday --archive ./archive',
  ],
  evaluations: ['saltcod-inspect evaluations jobs.db --status pending'],
  counts: ['saltcod-inspect counts ./repository --output json'],
  check: ['saltcod-inspect check ./repository', 'saltcod-inspect check jobs.db --output json'],
  why: [
    'saltcod-inspect why ./repository nightly',
    'saltcod-inspect why executions.db e-1c9f63aa',
    'saltcod-inspect why ./archive yesterday',
  ],
  changes: [
    'saltcod-inspect changes jobs.db --since 1d',
    'saltcod-inspect changes jobs.db --output ndjson --all',
  ],
  recover: [
    'saltcod-inspect recover ./repository',
    'saltcod-inspect recover executions.db --preset expire --output csv',
  ],
  du: [
    'saltcod-inspect du ./repository',
    'saltcod-inspect du jobs.db --age',
    'saltcod-inspect du jobs.db --max-age 30d',
  ],
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
  repair: ['saltcod-inspect repair jobs.db repaired.db'],
  salvage: ['saltcod-inspect salvage jobs.db salvaged.db'],
  compact: ['saltcod-inspect compact executions.db small.db'],
  backup: ['saltcod-inspect backup ./repository/n-1-requester/jobs.db backup.db'],
  restore: ['saltcod-inspect restore backup.db restored.db'],
  export: ['saltcod-inspect export jobs.db', 'saltcod-inspect export jobs.db jobs.ndjson --show-secrets'],
  import: ['saltcod-inspect import jobs.ndjson imported.db'],
  unarchive: ['saltcod-inspect unarchive ./archive last-year restored.db'],
  diff: ['saltcod-inspect diff backup.db jobs.db'],
  info: ['saltcod-inspect info jobs.db'],
}
