import type { HelperCounts, Keeper } from '../compute/keeper/keeper.ts'
import type { NodeDescription } from '../link/link.ts'
import type { Engine, ImageCounts } from './engine.ts'

/** What a node says of its engines. */
export type EngineOffer = Required<Pick<NodeDescription, 'engines' | 'missingEngines'>>

/** The engines of a node, by type. */
export class EngineRegistry {
  readonly #engines = new Map<string, Engine>()
  readonly #keepers = new Set<Keeper>()

  constructor(engines: readonly Engine[]) {
    for (const engine of engines) {
      this.#engines.set(engine.type, engine)
      if (engine.keeper !== null) this.#keepers.add(engine.keeper)
    }
  }

  /** The engine of a type, in any case and with spaces around it; undefined when the node has none. */
  get(type: string): Engine | undefined {
    return this.#engines.get(type.trim().toLowerCase())
  }

  /** All of them. */
  all(): readonly Engine[] {
    return [...this.#engines.values()]
  }

  /** Which engines can run jobs here and now, sorted, and why each of the others cannot. */
  async offer(): Promise<EngineOffer> {
    const answers = await Promise.all(
      [...this.#engines.values()].map(async (engine) => ({
        type: engine.type,
        answer: await engine.available(),
      })),
    )
    answers.sort((a, b) => (a.type < b.type ? -1 : 1))
    const engines = answers.flatMap(({ type, answer }) => (answer.ok ? [type] : []))
    const missing = answers.flatMap(({ type, answer }) => (answer.ok ? [] : [[type, answer.reason] as const]))
    return { engines, missingEngines: Object.fromEntries(missing) }
  }

  /** What the engines that can run jobs here add to the labels of their node. */
  async labels(): Promise<Readonly<Record<string, string>>> {
    const all = await Promise.all([...this.#engines.values()].map((engine) => engine.labels()))
    return Object.assign({}, ...all) as Record<string, string>
  }

  /** How many processes were started and given up beside the node so far. */
  helpers(): HelperCounts {
    const sums = { keepersStarted: 0, runnersStarted: 0, runnersRetired: 0 }
    for (const { helpers } of this.#keepers) {
      sums.keepersStarted += helpers.keepersStarted
      sums.runnersStarted += helpers.runnersStarted
      sums.runnersRetired += helpers.runnersRetired
    }
    return sums
  }

  /** How many images were fetched for jobs and are kept, and what was done since the start. */
  images(): ImageCounts {
    const sums = { kept: 0, fetched: 0, removed: 0 }
    for (const engine of this.#engines.values()) {
      const counts = engine.images?.()
      sums.kept += counts?.kept ?? 0
      sums.fetched += counts?.fetched ?? 0
      sums.removed += counts?.removed ?? 0
    }
    return sums
  }

  /** Ends what the engines keep beside their runs; call it when nothing runs any more. */
  async close(): Promise<void> {
    await Promise.all([...this.#keepers].map((keeper) => keeper.close()))
  }
}
