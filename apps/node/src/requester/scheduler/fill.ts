import type { JobNeeds } from './needs.ts'
import type { Suitability } from './node-choice.ts'
import type { NodeChoice } from './node-picker.ts'
import { NodePicker } from './node-picker.ts'
import type { PlanBuilder } from './plan-builder.ts'
import type { Slot, SlotVerdict } from './slot.ts'
import type { SchedulingView } from './view.ts'

/** A share that no node can do now, and the nodes that refused it. */
export type Unplaced = Pick<Slot, 'nodeId'> &
  Pick<Extract<SlotVerdict, { kind: 'wanted' }>, 'refusals'> & {
    /** Whether it waits only for room: a node that takes work can do it. */
    readonly isFull: boolean
  }

type Wanted = Extract<SlotVerdict, { kind: 'wanted' }>

/** Asks nodes to do the shares that are wanted, and returns those that no node can do now. */
export function fill(
  view: SchedulingView,
  plan: PlanBuilder,
  verdicts: readonly [Slot, SlotVerdict][],
  of: { readonly needs: JobNeeds; readonly choice: Suitability },
): Unplaced[] {
  const filling = new Filling(view, plan, verdicts, of)
  const unplaced: Unplaced[] = []
  for (const [slot, verdict] of verdicts) {
    if (plan.isFull && verdict.kind === 'wanted') {
      plan.overflow()
      break
    }
    const left = filling.place(slot, verdict)
    if (left !== null) unplaced.push(left)
  }
  return unplaced
}

/** The shares of one job on their way to nodes. */
class Filling {
  readonly #view: SchedulingView
  readonly #plan: PlanBuilder
  readonly #choice: Suitability
  readonly #open: ReadonlySet<string>
  readonly #makePicker: () => NodePicker
  #picker: NodePicker | null = null
  /** No node has room for a share that none refused. */
  #isExhausted = false

  constructor(
    view: SchedulingView,
    plan: PlanBuilder,
    verdicts: readonly [Slot, SlotVerdict][],
    { needs, choice }: { readonly needs: JobNeeds; readonly choice: Suitability },
  ) {
    this.#view = view
    this.#plan = plan
    this.#choice = choice
    const isEverywhere = view.job.type === 'ops' || view.job.type === 'daemon'
    this.#open = new Set(isEverywhere ? choice.suitable.map(({ description }) => description.nodeId) : [])
    this.#makePicker = () => {
      const live = verdicts.flatMap(([, verdict]) => (verdict.kind === 'live' ? [verdict.execution] : []))
      return new NodePicker(view.job, needs, choice.suitable, live)
    }
  }

  /** Places a share where it is to be placed. Returns it where no node can do it now. */
  place(slot: Slot, verdict: SlotVerdict): Unplaced | null {
    if (verdict.kind !== 'wanted') return null
    if (verdict.notBeforeMs > this.#view.nowMs) {
      this.#plan.lookAgain(verdict.notBeforeMs, 'exec-failure', 'waits before the next attempt')
      return null
    }
    const choice = this.#choose(slot, verdict)
    if (choice === null) return this.#unplaced(slot, verdict.refusals)
    const { previousExecutionId, restarts } = verdict
    const endsBefore = restarts?.inARow ?? 0
    this.#plan.ask({ partition: slot.partition, previousExecutionId, endsBefore, ...choice })
    return null
  }

  /** What only one node can do waits for room there, in the queue of the node itself. */
  #choose({ nodeId }: Slot, { refusals, avoid }: Wanted): NodeChoice | null {
    if (nodeId === null) return this.#pick(refusals, avoid)
    return this.#open.has(nodeId) ? { nodeId, choice: null } : null
  }

  #pick(refusals: ReadonlyMap<string, string>, avoid: string | null): NodeChoice | null {
    if (this.#isExhausted) return null
    this.#picker ??= this.#makePicker()
    const choice = this.#picker.pick(refusals, avoid)
    this.#isExhausted = choice === null && refusals.size === 0
    return choice
  }

  #unplaced({ nodeId }: Slot, refusals: ReadonlyMap<string, string>): Unplaced {
    const isFull =
      nodeId === null && this.#choice.suitable.some(({ description }) => !refusals.has(description.nodeId))
    return { nodeId, refusals, isFull }
  }
}
