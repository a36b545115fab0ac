/** A metric: its name, what it says, and its labels. */
export type Definition = readonly [name: string, help: string, labels: readonly string[]]

/**
 * Tells whether a node of these roles has a number of that name. One that never changes there would be taken for one
 * that says something: an alarm for nodes that have lost their requester would never end at the requester itself.
 */
export function isCounted(
  name: string,
  has: { readonly requester: boolean; readonly compute: boolean },
): boolean {
  if (/^saltcod_(link|runs|keeper|runners|images)(_|$)/.test(name)) return has.compute
  return has.requester || !/^saltcod_(evaluation|feed|retention|archive)_/.test(name)
}

/** Gauges that count records, whose label values come and go. */
export const RECORD_GAUGES: readonly string[] = [
  'saltcod_jobs',
  'saltcod_executions',
  'saltcod_evaluations',
  'saltcod_node_connected',
  'saltcod_node_silent_seconds',
  'saltcod_node_command_lag_seconds',
  'saltcod_link_report_lag_seconds',
]

/** Numbers that go up and down. */
export const GAUGES: readonly Definition[] = [
  ['saltcod_jobs', 'Jobs in the store.', ['namespace', 'state']],
  [
    'saltcod_executions',
    'Executions: as the requester knows them (store="jobs"), and on this node (store="executions").',
    ['store', 'namespace', 'state'],
  ],
  [
    'saltcod_evaluations',
    'Evaluations; those that are pending wait or are worked on.',
    ['namespace', 'status'],
  ],
  ['saltcod_evaluation_overdue_seconds', 'For how long the next evaluation has been due and not taken.', []],
  ['saltcod_feed_lag_seconds', 'Age of the oldest change that the requester has not followed.', []],
  [
    'saltcod_retention_overdue_seconds',
    'For how long the oldest job that should be gone has been overdue.',
    [],
  ],
  ['saltcod_retention_suspended', '1 while the clock is not trusted and nothing is removed.', []],
  ['saltcod_store_sequence', 'The newest sequence number of a store.', ['store']],
  ['saltcod_store_quarantined_records', 'Damaged records that were found and passed over.', ['store']],
  ['saltcod_store_file_bytes', 'Length of the store file, reserved space included.', ['store']],
  ['saltcod_store_used_bytes', 'Bytes that live pages take.', ['store']],
  ['saltcod_store_free_bytes', 'Bytes inside the file that no live page takes.', ['store']],
  ['saltcod_store_dead_share', 'The share of free bytes among used and free ones, from 0 to 1.', ['store']],
  ['saltcod_rewrite_last_pause_seconds', 'The longest that writers waited in the last rewrite.', ['store']],
  ['saltcod_exec_isolation', '1 for the way in which native jobs are kept apart on this node.', ['mode']],
  ['saltcod_runs', 'Executions that are being carried out on this node.', []],
  [
    'saltcod_runs_held_back',
    'Executions that wait because the machine itself has too little left for another run.',
    [],
  ],
  ['saltcod_images', 'Images that this node has fetched for jobs and keeps.', []],
  [
    'saltcod_node_connected',
    '1 for a compute node that its requester hears of, 0 for one that is silent.',
    ['node'],
  ],
  ['saltcod_node_silent_seconds', 'For how long a compute node has not been heard of.', ['node']],
  [
    'saltcod_node_command_lag_seconds',
    'Age of the oldest command that a compute node has not acknowledged.',
    ['node'],
  ],
  ['saltcod_link_connected', '1 while this compute node is joined to its requester.', []],
  [
    'saltcod_link_report_lag_seconds',
    'Age of the oldest report that the requester has not confirmed.',
    ['requester'],
  ],
  ['saltcod_link_refused_reports', 'Reports that lie aside because the requester refuses them.', []],
  [
    'saltcod_tls_certificate_left_seconds',
    'For how long a certificate of this node is good: that of its server, and that of its own authority.',
    ['certificate'],
  ],
  ['saltcod_archive_jobs', 'Copies of jobs in the archive.', []],
  ['saltcod_archive_segments', 'Segments of the archive.', []],
  ['saltcod_archive_bytes', 'Compressed bytes in the segments of the archive.', []],
]

/** Numbers that only go up, from the start of the node. */
export const COUNTERS: readonly Definition[] = [
  [
    'saltcod_refused_total',
    'Requests, connections and messages of the link that were refused for whom they came from, by why.',
    ['reason'],
  ],
  ['saltcod_execution_ends_total', 'Executions that ended otherwise than completed, by why.', ['reason']],
  ['saltcod_retention_runs_total', 'Runs of retention, dry runs left out.', []],
  ['saltcod_retention_removed_jobs_total', 'Jobs that retention removed.', []],
  ['saltcod_retention_removed_bytes_total', 'Bytes of all that belonged to them, index rows left out.', []],
  ['saltcod_retention_removed_executions_total', 'Executions of removed jobs that left this node.', []],
  ['saltcod_retention_archived_jobs_total', 'Removed jobs that were archived before.', []],
  ['saltcod_retention_failed_jobs_total', 'Jobs that could not be removed.', []],
  ['saltcod_folded_records_total', 'Finished records that were folded into one row.', ['store']],
  [
    'saltcod_keeper_starts_total',
    'Starts of the process that looks after runs; more than one mean that it was lost.',
    [],
  ],
  ['saltcod_runners_started_total', 'Starts of processes for WebAssembly jobs.', []],
  ['saltcod_runners_retired_total', 'Processes for WebAssembly jobs that have ended.', []],
  ['saltcod_images_fetched_total', 'Images that were fetched for jobs.', []],
  ['saltcod_images_removed_total', 'Images that were removed because no job used them.', []],
  ['saltcod_link_reconnects_total', 'How often the requester was lost and found again.', []],
  ['saltcod_link_refused_reports_total', 'Reports that the requester refused.', []],
  [
    'saltcod_link_bytes_total',
    'Bytes of messages, logs and results that went over the network between this node and its requester.',
    ['direction'],
  ],
  ['saltcod_rewrites_total', 'Rewrites of a store that came to their end.', ['store']],
  ['saltcod_rewrite_given_back_bytes_total', 'Bytes that rewrites gave back to the disk.', ['store']],
]
