import type { NodeView } from '../../wire/node-output.ts'
import type { NodeClosing } from '../scheduler/view.ts'

/** Returns why a node gets no new work; `null` where it gets some. Of several reasons that which lasts longest. */
export function closingOf({ record, state }: Pick<NodeView, 'record' | 'state'>): NodeClosing | null {
  const { membership, scheduling } = record
  if (membership !== 'approved') return membership
  if (state === 'lost') return 'lost'
  if (scheduling === 'drained') return 'drained'
  return state === 'silent' ? 'silent' : null
}
