import { setting } from '../setting.ts'
import { flag } from '../value.ts'

/** Who decides which nodes get work. */
export const manualApproval = setting({
  key: 'Node.Requester.ManualApproval',
  description:
    'Whether nodes of other processes get work only once somebody has approved them (saltcod node approve). Without it they do at once.',
  form: 'boolean',
  fallback: false,
  schema: flag(),
})
