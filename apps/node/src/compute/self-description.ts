import type { NodeDescription } from '../link/link.ts'
import { buildVersion } from '../version.ts'
import { releaseOf } from '../wire/node-output.ts'
import type { ComputeContext } from './context.ts'

/** What a node says of itself, which changes with what its engines find on the machine. */
export class SelfDescription {
  readonly #context: ComputeContext
  #current: NodeDescription

  private constructor(context: ComputeContext, current: NodeDescription) {
    this.#context = context
    this.#current = current
  }

  /** Looks for the first time. */
  static async of(context: ComputeContext): Promise<SelfDescription> {
    const description = await describe(context)
    const { engines, missingEngines } = description
    context.log.info({ engines, missingEngines }, 'what this node runs jobs with')
    return new SelfDescription(context, description)
  }

  /** As it was found last. */
  get current(): NodeDescription {
    return this.#current
  }

  /** Looks again, and answers with whether it is another one. */
  async look(): Promise<boolean> {
    const before = this.#current
    const now = await describe(this.#context)
    if (JSON.stringify(now) === JSON.stringify(before)) return false
    this.#current = now
    const { engines, missingEngines } = now
    if (String(engines) !== String(before.engines)) {
      this.#context.log.warn(
        { engines, missingEngines },
        'this node runs jobs with other engines than before',
      )
    }
    return true
  }
}

async function describe({ nodeId, settings }: ComputeContext): Promise<NodeDescription> {
  const { capacity, engines, publishers, inputSources } = settings
  // What an operator says is stronger.
  const labels = { ...(await engines.labels()), ...settings.labels }
  const offered = { ...(await engines.offer()), publishers, inputSources, capacity }
  return { nodeId, labels, ...offered, release: releaseOf(buildVersion()) }
}
