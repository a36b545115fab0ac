import type { Engine } from './engine.ts'

/** The engines of a node, by type. */
export class EngineRegistry {
  readonly #engines = new Map<string, Engine>()

  constructor(engines: readonly Engine[]) {
    for (const engine of engines) this.#engines.set(engine.type, engine)
  }

  /** The engine of a type, in any case and with spaces around it; undefined when the node has none. */
  get(type: string): Engine | undefined {
    return this.#engines.get(type.trim().toLowerCase())
  }

  /** The types of the engines that can run jobs here and now, sorted. */
  async availableTypes(): Promise<readonly string[]> {
    const answers = await Promise.all(
      [...this.#engines.values()].map(async (engine) => ({
        type: engine.type,
        answer: await engine.available(),
      })),
    )
    return answers.flatMap(({ type, answer }) => (answer.ok ? [type] : [])).sort()
  }

  /** Ends what the engines keep beside their runs; call it when nothing runs any more. */
  async close(): Promise<void> {
    await Promise.all([...this.#engines.values()].map((engine) => engine.close()))
  }
}
