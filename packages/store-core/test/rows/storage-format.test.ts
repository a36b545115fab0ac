import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { COMPUTE_NAMES } from '../../src/executions/compute-row.ts'
import { EVALUATION_NAMES } from '../../src/jobs/evaluation-row.ts'
import { EXECUTION_NAMES } from '../../src/jobs/execution-row.ts'
import { JOB_NAMES, SPEC_NAMES } from '../../src/jobs/job-row.ts'
import { NODE_NAMES } from '../../src/jobs/node-row.ts'
import { CLOCK_NAMES } from '../../src/rows/clock-row.ts'
import { FEED_NAMES } from '../../src/rows/feed-entry.ts'
import type { DiskName } from '../../src/rows/field-names.ts'
import { HISTORY_NAMES } from '../../src/rows/history.ts'
import { INCARNATION_NAMES, SEQUENCE_NAMES } from '../../src/rows/meta.ts'
import { PEER_NAMES } from '../../src/rows/meta-table.ts'
import { MESSAGE_NAMES } from '../../src/rows/outbox.ts'
import { QUARANTINE_NAMES } from '../../src/rows/quarantine.ts'
import { RECLAIM_NAMES } from '../../src/rows/reclaim.ts'
import { REQUEST_NAMES } from '../../src/rows/requests.ts'

const ROWS: Readonly<Record<string, Readonly<Record<string, DiskName>>>> = {
  SequenceRow: SEQUENCE_NAMES,
  ClockRow: CLOCK_NAMES,
  PeerRow: PEER_NAMES,
  IncarnationRow: INCARNATION_NAMES,
  JobRow: JOB_NAMES,
  SpecRow: SPEC_NAMES,
  ExecutionRow: EXECUTION_NAMES,
  ComputeRow: COMPUTE_NAMES,
  EvaluationRow: EVALUATION_NAMES,
  NodeRow: NODE_NAMES,
  HistoryRow: HISTORY_NAMES,
  RequestRow: REQUEST_NAMES,
  StoredMessage: MESSAGE_NAMES,
  QuarantineRow: QUARANTINE_NAMES,
  ReclaimRow: RECLAIM_NAMES,
  FeedEntry: FEED_NAMES,
}

const document = readFileSync(new URL('../../../../docs/storage-format.md', import.meta.url), 'utf8')
const sections = document
  .split(/^###? /m)
  .map((section) => [section.slice(0, section.indexOf('\n')), section] as const)

/** The names that a section of the document gives, on disk and in memory. */
function documented(section: string): string[] {
  return [...section.matchAll(/^\| `([\w.]+)` \| `([\w.]+)` \|/gm)].map(
    ([, onDisk, inMemory]) => `${onDisk} ${inMemory}`,
  )
}

function declared(names: Readonly<Record<string, DiskName>>, onDisk = '', inMemory = ''): string[] {
  return Object.entries(names).flatMap(([field, name]) => {
    const [short, inner] = typeof name === 'string' ? [name, {}] : name
    const pair = `${onDisk}${short} ${inMemory}${field}`
    return [pair, ...declared(inner, `${onDisk}${short}.`, `${inMemory}${field}.`)]
  })
}

for (const [row, names] of Object.entries(ROWS)) {
  test(`the description of the format has the names of ${row} as the code has them`, () => {
    const section = sections.find(([title]) => title === row)
    expect(documented(section?.[1] ?? '')).toEqual(declared(names))
  })
}

test('the description of the format has names of no other row', () => {
  const titles = sections
    .filter(([, section]) => section.includes('| on disk | in memory |'))
    .map(([title]) => title)
  expect(titles.sort()).toEqual(Object.keys(ROWS).sort())
})
