import { computeStatePrefix, computeTable } from '../executions/compute-row.ts'
import { COMPUTE_MACHINE } from '../states/compute-state.ts'
import type { FoldPlan } from './fold-step.ts'
import { isLoose } from './folded-record.ts'
import { layoutOf } from './layout.ts'

/** How the executions of a compute node are folded: those that have ended, once the requester knows of it. */
export const FOLD_EXECUTIONS: FoldPlan = {
  layout: layoutOf('executions'),
  stretches: () => [...COMPUTE_MACHINE.terminal].map(computeStatePrefix),
  members: (_snapshot, { key, value }) => {
    if (!isLoose(value)) return null
    const { s: state, r: revision, ar: acknowledged = 0 } = computeTable.decode(key, value)
    return COMPUTE_MACHINE.terminal.has(state) && acknowledged >= revision ? [] : null
  },
}
