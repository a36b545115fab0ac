import type { EndReason } from '@saltcod/store-core'
import { shellJob, wasmJob } from './chaos-jobs.ts'
import { GUESTS, guestJob } from './guest-jobs.ts'

/** How a run ends that nobody disturbs. */
export interface OwnEnd {
  /** `null` where it completes. */
  readonly reason: EndReason | null
  readonly exitCode: number
  /** What a guest has written by then. */
  readonly output?: string
}

/** A job of a kind, with what is known of the end of its runs. */
export interface VariedJob {
  readonly name: string
  readonly kind: string
  readonly type: 'batch' | 'ops'
  readonly spec: object
  readonly native: boolean
  /** True where its end is to be stopped by whoever submitted it. */
  readonly endless: boolean
  readonly own: OwnEnd
}

/** What all jobs of a test share. */
export interface JobSurroundings {
  /** Stands in the environment or the command line of every process of native jobs. */
  readonly mark: string
  /** The file for the lines that native jobs write. */
  readonly marks: string
  /** One lock for each native job, as `PREFIX.NAME`. */
  readonly lockPrefix: string
}

const COMPLETES: OwnEnd = { reason: null, exitCode: 0 }
const NONE: OwnEnd = { reason: 'stopped', exitCode: -1 }
const TIMED_OUT: OwnEnd = { reason: 'timed-out', exitCode: -1 }

interface Life {
  /** The script of a native job, or the guest; undefined for the guest that counts words. */
  readonly code: string | Buffer | undefined
  readonly own: OwnEnd
  readonly fields?: object
  readonly endless?: boolean
  /** True where one failure is to be enough, since it takes long. */
  readonly once?: boolean
}

const SECOND = { Timeouts: { ExecutionTimeout: 1 } }
const guestEnd = (end: OwnEnd, output = 'begin\nend\n'): OwnEnd => ({ ...end, output })

/** What is carried in, and carried out again under a name that says by which run. */
const CARRIED = {
  InputSources: [{ Source: { Type: 'inline', Params: { URL: 'data:,cargo%0A' } }, Target: '/inputs/cargo' }],
  ResultPaths: [{ Name: 'outputs', Path: '/outputs' }],
}

/**
 * `finish` writes the line of an end, and ends with that exit code; `$MARK` stands in the command line of what
 * escapes.
 */
const LIVES: Readonly<Record<string, Life>> = {
  short: { code: 'finish 0', own: COMPLETES },
  long: { code: 'sleep 1.5; finish 0', own: COMPLETES },
  writing: {
    code: 'yes 0123456789 | head -c 3000000; yes bad | head -c 100000 >&2; finish 0',
    own: COMPLETES,
  },
  forking: { code: 'for i in 1 2 3 4 5 6 7 8; do sleep 0.4 & done; wait; finish 0', own: COMPLETES },
  escaping: {
    code: 'setsid sleep 1000000 & exec 3>&-; env -i setsid sh -c "sleep 1000000; : $CHAOS_MARK" & sleep 0.3; finish 0',
    own: COMPLETES,
  },
  deaf: { code: 'trap "" TERM; while :; do sleep 0.1; done', own: TIMED_OUT, fields: SECOND, once: true },
  stopped: { code: 'while :; do sleep 0.1; done', own: NONE, endless: true },
  failing: { code: 'sleep 0.2; finish 3', own: { reason: 'exit-code', exitCode: 3 } },
  dying: { code: 'sleep 0.2; note end -1; kill -SEGV $$', own: { reason: 'killed', exitCode: -1 } },
  carrying: {
    code: 'read -r cargo <inputs/cargo; sleep 0.2; echo "$cargo $SALTCOD_EXECUTION" >outputs/carried; finish 0',
    own: COMPLETES,
    fields: CARRIED,
  },
  'short guest': { code: GUESTS.short, own: guestEnd(COMPLETES) },
  'long guest': { code: GUESTS.long, own: guestEnd(COMPLETES) },
  'spinning guest': { code: GUESTS.spinning, own: guestEnd(TIMED_OUT, 'begin\n'), fields: SECOND },
  'stopped guest': { code: GUESTS.endless, own: NONE, endless: true },
  'failing guest': { code: GUESTS.failing, own: guestEnd({ reason: 'exit-code', exitCode: 3 }) },
  'trapping guest': { code: GUESTS.trapping, own: guestEnd({ reason: 'failed', exitCode: 1 }) },
  'counting guest': { code: undefined, own: COMPLETES },
}

/** The kinds that {@link variedJob} makes. */
export const KINDS: readonly string[] = Object.keys(LIVES)

/** Makes a job of a kind. A third of those that may be run again say so of themselves. */
export function variedJob(
  kind: string,
  name: string,
  surroundings: JobSurroundings,
  random: () => number,
): VariedJob {
  const { code, own, fields = {}, endless = false, once = false } = LIVES[kind] as Life
  const type = random() < 0.5 && !once ? 'batch' : 'ops'
  const again = random() < 0.33
  const taskFields = { Resources: { CPU: '0.01', Memory: '50mb', Disk: '50mb' }, ...fields }
  const spec =
    code === undefined
      ? wasmJob(type, name, surroundings.mark, 1 + Math.floor(random() * 200))
      : typeof code === 'string'
        ? shellJob(type, name, scriptOf(name, code, surroundings), {
            Env: { CHAOS_MARK: surroundings.mark },
            ...taskFields,
          })
        : guestJob(type, name, code, taskFields)
  const Meta = { 'saltcod/fail-on-exit-code': 'true', 'saltcod/rerunnable': String(again) }
  return { name, kind, type, spec: { ...spec, Meta }, native: typeof code === 'string', endless, own }
}

/** Makes a native job that goes on for ever, and is run again whatever ends it. */
export function serviceJob(name: string, surroundings: JobSurroundings): object {
  const script = scriptOf(name, 'sleep 1000000 & wait', surroundings)
  return shellJob('service', name, script, { Env: { CHAOS_MARK: surroundings.mark } })
}

/**
 * Holds a lock while any process of the run lives, and notes outside that it begins and how it ends:
 * `begin NAME EXECUTION:ATTEMPT:PLACE` and `end NAME EXECUTION:ATTEMPT:PLACE CODE`, or `overlap` where another run
 * holds the lock.
 */
function scriptOf(name: string, life: string, { marks, lockPrefix }: JobSurroundings): string {
  return [
    `note() { echo "$1 ${name} $SALTCOD_EXECUTION $2" >>"${marks}"; }`,
    'finish() { note end "$1"; exit "$1"; }',
    `exec 9>"${lockPrefix}.${name}"`,
    // Another status is that of a lock that somebody killed.
    'flock -E 66 -n 9; [ $? = 66 ] && { note overlap; exit 9; }',
    'note begin',
    life,
  ].join('\n')
}
