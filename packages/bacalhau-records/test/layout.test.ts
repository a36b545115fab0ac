import { expect, test } from 'vitest'
import { layoutOf } from '../src/index.ts'

const JOBS = ['jobs', 'idx_namespaces', 'idx_tags', 'idx_inprogress', 'idx_executions', 'idx_evaluations']

test('a file is known by its buckets, whatever else it has', () => {
  expect(layoutOf(JOBS)).toMatchObject({ kind: 'jobs', releases: 'v1.1 to v1.5.1', numbering: 'earlier' })
  const later = [...JOBS, 'v1_events', 'v1_checkpoints']
  expect(layoutOf(later)).toMatchObject({ releases: 'v1.5.2 to v1.7', numbering: 'later' })
  expect(layoutOf([...later, 'idx_job_names'])).toMatchObject({ releases: 'v1.8 and later' })
  expect(layoutOf(['execution', 'execution-history', 'execution-index'])).toMatchObject({
    kind: 'executions',
    releases: 'v1.1 to v1.4',
    generations: [{ states: 'local' }],
  })
  expect(layoutOf(['v1_executions', 'v1_execution_history'])).toMatchObject({ releases: 'v1.5.0 and v1.5.1' })
  const upgraded = layoutOf(['execution', 'v1_executions', 'v2_executions', 'v2_events'])
  expect(upgraded).toMatchObject({
    releases: 'v1.5.2 and later',
    generations: [
      { executions: 'v2_executions' },
      { executions: 'v1_executions' },
      { executions: 'execution' },
    ],
  })
  for (const other of [[], ['jobs'], ['key', 'meta', 'members']]) expect(layoutOf(other)).toBeNull()
})
