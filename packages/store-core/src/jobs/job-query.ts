import {
  requireList,
  requireObject,
  requireOptionalFlag,
  requireOptionalText,
  requireText,
} from '../arguments/argument-types.ts'
import { checkChoice, checkChoices, checkOptionalChoice, checkTime } from '../arguments/limits.ts'
import type { JobQuery, LabelRequirement } from '../contract/jobs.ts'
import { JOB_TYPES } from '../model/job.ts'
import { JOB_STATES } from '../states/job-state.ts'

const LABEL_OPERATORS: readonly LabelRequirement['operator'][] = [
  '=',
  '!=',
  'in',
  'notin',
  'exists',
  '!exists',
  'gt',
  'lt',
]

/** Checks which jobs a caller asks for. Throws `TypeError` or `INVALID_ARGUMENT`. */
export function checkJobQuery(query: JobQuery): void {
  requireObject('query', query)
  const { namespace, states, type, inProgress, labels = [], sinceMs, untilMs } = query
  requireOptionalText('namespace', namespace)
  checkChoices('state', states, JOB_STATES)
  checkOptionalChoice('job type', type, JOB_TYPES)
  requireOptionalFlag('inProgress', inProgress)
  checkTime('time to list from', sinceMs)
  checkTime('time to list to', untilMs)
  requireList('list of labels', labels)
  for (const requirement of labels) {
    requireObject('condition on a label', requirement)
    requireText('label', requirement.key)
    checkChoice('operator of a condition on a label', requirement.operator, LABEL_OPERATORS)
    requireList(`list of values of label ${requirement.key}`, requirement.values)
    for (const value of requirement.values) requireText(`value of label ${requirement.key}`, value)
  }
}
