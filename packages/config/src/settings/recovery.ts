import {
  type AgeRule,
  LEGAL_ACTIONS,
  RECOVERY_ACTIONS,
  RECOVERY_PRESET_ALIASES,
  RECOVERY_PRESETS,
  type RecoveryAction,
} from '@saltcod/recovery/words'
import { COMPUTE_STATES, type ComputeState, JOB_TYPES, type JobType } from '@saltcod/store-core'
import { z } from 'zod'
import { complain } from '../complaint.ts'
import { setting } from '../setting.ts'
import { choice, duration, integer, mapping, rules } from '../value.ts'

/** The states that a restart may act on; in the others there is nothing but `none`. */
const STATES = COMPUTE_STATES.filter((state) => LEGAL_ACTIONS[state].length > 1)

type Row = { readonly [Type in JobType]?: RecoveryAction }
type Cells = { readonly [State in ComputeState]?: Row }

// One word for a whole state stands for all job types.
function row(state: ComputeState): z.ZodType<Row> {
  const action = choice(LEGAL_ACTIONS[state]).exactOptional()
  return z.preprocess(
    (given) => (typeof given === 'string' ? ofEach(JOB_TYPES, () => given) : given),
    mapping(ofEach(JOB_TYPES, () => action)),
  )
}

function ofEach<Name extends string, Item>(
  names: readonly Name[],
  make: (name: Name) => Item,
): { readonly [Each in Name]: Item } {
  return Object.fromEntries(names.map((name) => [name, make(name)])) as { [Each in Name]: Item }
}

const cells: z.ZodType<Cells> = mapping(ofEach(STATES, (state) => row(state).exactOptional()))

const ageRule = mapping({
  State: choice(STATES),
  JobType: choice(JOB_TYPES).optional(),
  OlderThan: duration(),
  Action: choice(RECOVERY_ACTIONS),
})
  .superRefine((rule, context) => {
    const legal = LEGAL_ACTIONS[rule.State]
    if (legal.includes(rule.Action)) return
    const problem = `'${rule.Action}' makes no sense for ${rule.State}`
    const hint = `write one of ${legal.join(', ')}`
    context.addIssue(complain({ problem, hint }, ['Action']))
  })
  .transform(
    (rule): AgeRule => ({
      state: rule.State,
      ...(rule.JobType === undefined ? {} : { jobType: rule.JobType }),
      olderThanMs: rule.OlderThan,
      action: rule.Action,
    }),
  )

/** What a restart does with interrupted work. */
export const recovery = {
  preset: setting({
    key: 'Recovery.Preset',
    description:
      'What a restart does with interrupted work: resume (go on, or fail it so that it is scheduled anew), or expire (nothing: its deadline decides).',
    form: 'choice',
    fallback: 'resume',
    schema: choice(RECOVERY_PRESETS, RECOVERY_PRESET_ALIASES),
  }),
  /** The cells of the table that differ from the preset. */
  cells: setting({
    key: 'Recovery.Cells',
    description:
      'Cells of the restart table that differ from the preset: a state, under it a job type and its action (admit, requeue, rerun, publish, keep, fail, none), or one action for all types.',
    form: 'rules',
    fallback: {},
    schema: cells,
  }),
  /** Asked before the table, in order. */
  ageRules: setting({
    key: 'Recovery.AgeRules',
    description:
      'Rules that look at the age of an execution before the table is asked, the first that fits decides: State, JobType (all when left out), OlderThan, Action.',
    form: 'rules',
    fallback: [],
    schema: rules(ageRule),
  }),
  /** How long a kept execution may wait before it is failed. */
  keepForMs: setting({
    key: 'Recovery.KeepFor',
    description:
      'How long an execution that a restart keeps as it is, or leaves alone, may wait before it is failed.',
    form: 'duration',
    fallback: '1h',
    schema: duration({ minMs: 1000 }),
  }),
  interruptions: {
    /** How often restarts may interrupt a job before it fails. */
    limit: setting({
      key: 'Recovery.Interruptions.Limit',
      description:
        'How often restarts may interrupt a job before it fails. Counted apart from its own failures.',
      form: 'integer',
      fallback: 100,
      schema: integer(0, 1_000_000),
    }),
    /** How many interruptions in a row are answered at once. */
    immediate: setting({
      key: 'Recovery.Interruptions.Immediate',
      description:
        'How many interruptions in a row are answered at once; after them each new attempt waits longer.',
      form: 'integer',
      fallback: 2,
      schema: integer(0, 1_000_000),
    }),
    /** The first wait; it doubles. */
    backoffMs: setting({
      key: 'Recovery.Interruptions.Backoff',
      description:
        'The first wait of an interrupted job; it doubles with each further interruption in a row.',
      form: 'duration',
      fallback: '1s',
      schema: duration({ minMs: 1 }),
    }),
    maxBackoffMs: setting({
      key: 'Recovery.Interruptions.MaxBackoff',
      description: 'The longest wait of an interrupted job.',
      form: 'duration',
      fallback: '1m',
      schema: duration({ minMs: 1 }),
    }),
  },
}
