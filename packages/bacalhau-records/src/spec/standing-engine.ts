import type { JobSpec } from './job-spec.ts'

/** The engines whose runs go on when the node ends. */
const STANDING_ENGINES: ReadonlySet<string> = new Set(['docker'])

/** Tells whether the runs of a job go on when the node ends. False for what is no specification of ours. */
export function outlivesNode(spec: unknown): boolean {
  const { Tasks } = (spec ?? {}) as Partial<JobSpec>
  const type: unknown = Array.isArray(Tasks) ? Tasks[0]?.Engine?.Type : undefined
  return typeof type === 'string' && STANDING_ENGINES.has(type.trim().toLowerCase())
}
