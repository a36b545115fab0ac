import { shellJob, wasmJob } from './chaos-jobs.ts'

/** How a job of a kind ends that nobody stops. */
export type NetworkEnd = 'Completed' | 'Failed' | 'goes on'

/** A job for several nodes, with what is known of its end. */
export interface NetworkJob {
  readonly name: string
  readonly kind: string
  readonly type: 'batch' | 'ops' | 'service' | 'daemon'
  readonly count: number
  readonly end: NetworkEnd
  /** Its runs write when they begin and when they end. */
  readonly native: boolean
  readonly spec: object
}

const RESOURCES = { CPU: '0.05', Memory: '20mb', Disk: '10mb' }

interface Kind {
  readonly type: NetworkJob['type']
  readonly end: NetworkEnd
  /** Absent for a guest. */
  readonly script?: string
  readonly task?: object
  readonly mostCount?: number
}

const KINDS: Readonly<Record<string, Kind>> = {
  short: { type: 'batch', end: 'Completed', script: 'finish 0', mostCount: 3 },
  longer: { type: 'batch', end: 'Completed', script: 'sleep 0.8; finish 0', mostCount: 2 },
  lasting: { type: 'batch', end: 'Completed', script: 'sleep 4; finish 0' },
  writing: { type: 'batch', end: 'Completed', script: 'yes 0123456789 | head -c 300000; finish 0' },
  guest: { type: 'batch', end: 'Completed' },
  failing: { type: 'batch', end: 'Failed', script: 'sleep 0.1; finish 3' },
  late: {
    type: 'batch',
    end: 'Failed',
    script: 'while :; do sleep 0.1; done',
    task: { Timeouts: { ExecutionTimeout: 1 } },
  },
  everywhere: { type: 'ops', end: 'Completed', script: 'sleep 0.2; finish 0' },
  serving: { type: 'service', end: 'goes on', script: 'while :; do sleep 0.2; done', mostCount: 2 },
  present: { type: 'daemon', end: 'goes on', script: 'while :; do sleep 0.2; done' },
}

/** What goes on for ever is there once from the beginning; the others come again and again. */
export const PASSING_KINDS: readonly string[] = Object.keys(KINDS).filter(
  (kind) => KINDS[kind]?.end !== 'goes on',
)

/** Makes a job of a kind whose runs write into the file that is named after it. */
export function networkJob(kind: string, name: string, marks: string, random: () => number): NetworkJob {
  const { type, end, script, task = {}, mostCount = 1 } = KINDS[kind] as Kind
  const count = 1 + Math.floor(random() * mostCount)
  const spec =
    script === undefined
      ? wasmJob(type, name, 'none', 1 + Math.floor(random() * 20))
      : shellJob(type, name, scriptOf(script, `${marks}/${name}`), { Resources: RESOURCES, ...task })
  const Meta = { 'saltcod/fail-on-exit-code': 'true' }
  const counted = type === 'batch' || type === 'service' ? { Count: count } : {}
  return { name, kind, type, count, end, native: script !== undefined, spec: { ...spec, Meta, ...counted } }
}

/** Appends `begin EXECUTION:ATTEMPT:PLACE` to the file, and `end` with the exit code. */
function scriptOf(script: string, path: string): string {
  return [
    `note() { echo "$1 x $SALTCOD_EXECUTION $2" >>"${path}"; }`,
    'finish() { note end "$1"; exit "$1"; }',
    'note begin',
    script,
  ].join('\n')
}
