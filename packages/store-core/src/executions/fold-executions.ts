import type { FoldPlan } from '../fold/fold-step.ts'
import { isLoose } from '../fold/folded-record.ts'
import { layoutOf } from '../fold/layout.ts'
import { COMPUTE_MACHINE } from '../states/compute-state.ts'
import { computeRows, computeTable } from './compute-row.ts'

/** How the executions of a compute node are folded: those that have ended, once the requester knows of it. */
export const FOLD_EXECUTIONS: FoldPlan = {
  layout: layoutOf('executions'),
  stretches: () => [...COMPUTE_MACHINE.terminal].map((state) => computeRows.statePrefix(state)),
  members: (_snapshot, { key, value }) => {
    if (!isLoose(value)) return null
    const { state, revision, acknowledgedRevision: acknowledged = 0 } = computeTable.decode(key, value)
    return COMPUTE_MACHINE.terminal.has(state) && acknowledged >= revision ? [] : null
  },
}
