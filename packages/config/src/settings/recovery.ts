import { z } from 'zod'
import { complaint } from '../problem.ts'
import type { Setting } from '../setting.ts'
import { choice, duration, integer, mapping, rules } from '../value.ts'

/** The ready-made restart policies. */
export const RECOVERY_PRESETS = ['resume', 'expire'] as const

/** A ready-made restart policy. */
export type RecoveryPreset = (typeof RECOVERY_PRESETS)[number]

/** The earlier word for `expire` is still read. */
const PRESET_WORDS = [...RECOVERY_PRESETS, 'documented'] as const

/** What a restart can do with an execution. */
export const RECOVERY_ACTIONS = ['admit', 'requeue', 'rerun', 'publish', 'keep', 'fail', 'none'] as const

/** What a restart does with an execution. */
export type RecoveryActionName = (typeof RECOVERY_ACTIONS)[number]

/** The states of a compute node's execution that a restart may act on. */
export const RECOVERABLE_STATES = [
  'Created',
  'BidAccepted',
  'Running',
  'WaitingVerification',
  'ResultAccepted',
  'Publishing',
] as const

/** A state that a restart may act on. */
export type RecoverableState = (typeof RECOVERABLE_STATES)[number]

/** The types of a job. */
export const JOB_TYPE_WORDS = ['batch', 'ops', 'service', 'daemon'] as const

/** The type of a job. */
export type JobTypeName = (typeof JOB_TYPE_WORDS)[number]

/** The cells of the restart table that differ from the preset. */
export type RecoveryCells = Partial<
  Record<RecoverableState, Partial<Record<JobTypeName, RecoveryActionName>>>
>

/** A rule that looks at the age of an execution before the table is asked. */
export interface RecoveryAgeRule {
  readonly state: RecoverableState
  /** The job type that it is for; all when absent. */
  readonly jobType?: JobTypeName
  readonly olderThanMs: number
  readonly action: RecoveryActionName
}

// What makes sense in each state; the recovery package refuses a policy with anything else.
const LEGAL_ACTIONS: { readonly [State in RecoverableState]: readonly RecoveryActionName[] } = {
  Created: ['admit', 'fail', 'keep', 'none'],
  BidAccepted: ['requeue', 'fail', 'keep', 'none'],
  Running: ['rerun', 'fail', 'keep', 'none'],
  WaitingVerification: ['fail', 'keep', 'none'],
  ResultAccepted: ['fail', 'keep', 'none'],
  Publishing: ['publish', 'fail', 'keep', 'none'],
}

// One word for a whole state stands for all four job types.
function row(state: RecoverableState): z.ZodType<Partial<Record<JobTypeName, RecoveryActionName>>> {
  const action = choice(LEGAL_ACTIONS[state]).exactOptional()
  const byType = mapping({ batch: action, ops: action, service: action, daemon: action })
  return z.preprocess((given) => {
    return typeof given === 'string' ? { batch: given, ops: given, service: given, daemon: given } : given
  }, byType)
}

const cells = mapping({
  Created: row('Created').exactOptional(),
  BidAccepted: row('BidAccepted').exactOptional(),
  Running: row('Running').exactOptional(),
  WaitingVerification: row('WaitingVerification').exactOptional(),
  ResultAccepted: row('ResultAccepted').exactOptional(),
  Publishing: row('Publishing').exactOptional(),
})

const ageRule = mapping({
  State: choice(RECOVERABLE_STATES),
  JobType: choice(JOB_TYPE_WORDS).optional(),
  OlderThan: duration(),
  Action: choice(RECOVERY_ACTIONS),
})
  .superRefine((rule, context) => {
    const legal = LEGAL_ACTIONS[rule.State]
    if (legal.includes(rule.Action)) return
    const message = complaint(
      `'${rule.Action}' makes no sense for ${rule.State}`,
      `write one of ${legal.join(', ')}`,
    )
    context.addIssue({ code: 'custom', path: ['Action'], message })
  })
  .transform(
    (rule): RecoveryAgeRule => ({
      state: rule.State,
      ...(rule.JobType === undefined ? {} : { jobType: rule.JobType }),
      olderThanMs: rule.OlderThan,
      action: rule.Action,
    }),
  )

/** The preset that the table starts from. */
export const recoveryPreset: Setting<RecoveryPreset> = {
  key: 'Recovery.Preset',
  description:
    'What a restart does with interrupted work: resume (go on, or fail it so that it is scheduled anew), or expire (nothing: its deadline decides).',
  form: 'choice',
  fallback: 'resume',
  schema: choice(PRESET_WORDS).transform((word) => (word === 'documented' ? 'expire' : word)),
}

/** The cells that differ from the preset. */
export const recoveryCells: Setting<RecoveryCells> = {
  key: 'Recovery.Cells',
  description:
    'Cells of the restart table that differ from the preset: a state, under it a job type and its action (admit, requeue, rerun, publish, keep, fail, none), or one action for all types.',
  form: 'rules',
  fallback: {},
  schema: cells,
}

/** The rules that look at age. */
export const recoveryAgeRules: Setting<RecoveryAgeRule[]> = {
  key: 'Recovery.AgeRules',
  description:
    'Rules that look at the age of an execution before the table is asked, the first that fits decides: State, JobType (all when left out), OlderThan, Action.',
  form: 'rules',
  fallback: [],
  schema: rules(ageRule),
}

/** How long a kept execution may wait. */
export const recoveryKeepFor: Setting<number> = {
  key: 'Recovery.KeepFor',
  description:
    'How long an execution that a restart keeps as it is, or leaves alone, may wait before it is failed.',
  form: 'duration',
  fallback: '1h',
  schema: duration({ minMs: 1000 }),
}

/** How often a job may be interrupted. */
export const interruptionLimit: Setting<number> = {
  key: 'Recovery.Interruptions.Limit',
  description: 'How often restarts may interrupt a job before it fails. Counted apart from its own failures.',
  form: 'integer',
  fallback: 100,
  schema: integer(0, 1_000_000),
}

/** How many interruptions are answered at once. */
export const interruptionImmediate: Setting<number> = {
  key: 'Recovery.Interruptions.Immediate',
  description:
    'How many interruptions in a row are answered at once; after them each new attempt waits longer.',
  form: 'integer',
  fallback: 2,
  schema: integer(0, 1_000_000),
}

/** The first wait after interruptions. */
export const interruptionBackoff: Setting<number> = {
  key: 'Recovery.Interruptions.Backoff',
  description: 'The first wait of an interrupted job; it doubles with each further interruption in a row.',
  form: 'duration',
  fallback: '1s',
  schema: duration({ minMs: 1 }),
}

/** The longest wait after interruptions. */
export const interruptionMaxBackoff: Setting<number> = {
  key: 'Recovery.Interruptions.MaxBackoff',
  description: 'The longest wait of an interrupted job.',
  form: 'duration',
  fallback: '1m',
  schema: duration({ minMs: 1 }),
}
