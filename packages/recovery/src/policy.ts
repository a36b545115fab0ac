import { COMPUTE_STATES, type ComputeState, JOB_TYPES, type JobType } from '@saltcod/store-core'
import { checkFields, type Fields } from '@saltcod/store-core/backend'
import { DEFAULT_REASONS, LEGAL_ACTIONS, type RecoveryAction, type RecoveryCell } from './action.ts'
import { type AgeRule, checkAgeRule } from './age-rule.ts'
import { RECOVERY_PRESETS, type RecoveryPreset } from './preset.ts'

/** What a restart does with every state of every job type. */
export type RecoveryTable = {
  readonly [State in ComputeState]: { readonly [Type in JobType]: RecoveryCell }
}

/** A complete policy, made by {@link recoveryPolicy}; plain data. */
export interface RecoveryPolicy {
  readonly preset: RecoveryPreset
  readonly table: RecoveryTable
  /** Which cells were set on top of the preset, as `State/type`. */
  readonly overridden: readonly string[]
  /** Looked at before the table; the first that fits decides. */
  readonly ageRules: readonly AgeRule[]
  /** Deadline, from the restart on, of an execution that is kept or left alone and has none. */
  readonly keepForMs: number
}

/** What a caller says of a policy; everything has a default. */
export interface RecoveryPolicyOptions {
  /** Default `resume`. */
  readonly preset?: RecoveryPreset
  /** Cells that differ from the preset. An action alone takes its usual reason. */
  readonly cells?: {
    readonly [State in ComputeState]?: { readonly [Type in JobType]?: RecoveryAction | RecoveryCell }
  }
  readonly ageRules?: readonly AgeRule[]
  /** Default one hour. */
  readonly keepForMs?: number
}

/** Cells and rules are looked at one by one. */
const OPTION_FIELDS: Fields<Partial<Record<keyof RecoveryPolicyOptions, unknown>>> = {
  preset: true,
  cells: true,
  ageRules: true,
  keepForMs: true,
}

const CELL_FIELDS: Fields<RecoveryCell> = { action: true, reason: true }

const HOUR_MS = 3_600_000

type Rows = { readonly [State in ComputeState]: RecoveryAction | readonly [RecoveryAction, RecoveryAction] }

/** One action for all job types, or one for batch and ops and another for service and daemon. */
const ROWS: { readonly [Preset in RecoveryPreset]: Rows } = {
  resume: {
    Created: 'admit',
    BidAccepted: 'requeue',
    Running: ['fail', 'rerun'],
    WaitingVerification: 'keep',
    ResultAccepted: 'keep',
    Publishing: 'publish',
    Completed: 'none',
    Failed: 'none',
    Cancelled: 'none',
  },
  expire: {
    Created: 'none',
    BidAccepted: 'none',
    Running: 'none',
    WaitingVerification: 'none',
    ResultAccepted: 'none',
    Publishing: 'none',
    Completed: 'none',
    Failed: 'none',
    Cancelled: 'none',
  },
}

/**
 * Makes a policy from a preset and what differs from it. Throws `TypeError` for an unknown preset, state,
 * job type or action, and for an action that makes no sense in its state.
 */
export function recoveryPolicy(options: RecoveryPolicyOptions = {}): RecoveryPolicy {
  checkFields<Partial<Record<keyof RecoveryPolicyOptions, unknown>>>('recoveryPolicy', options, OPTION_FIELDS)
  const { preset = 'resume', cells = {}, ageRules = [], keepForMs = HOUR_MS } = options
  if (!RECOVERY_PRESETS.includes(preset)) {
    throw new TypeError(
      `unknown recovery preset ${JSON.stringify(preset)}: use ${RECOVERY_PRESETS.join(' or ')}`,
    )
  }
  if (!Number.isSafeInteger(keepForMs) || keepForMs < 1) {
    throw new TypeError(`keepForMs must be a whole number of milliseconds from 1, not ${keepForMs}`)
  }
  for (const [index, rule] of ageRules.entries()) checkAgeRule(rule, index)
  const overrides = readOverrides(cells)
  const row = (state: ComputeState): RecoveryTable[ComputeState] => {
    const cell = (type: JobType): RecoveryCell =>
      overrides.get(`${state}/${type}`) ?? presetCell(ROWS[preset][state], type)
    return { batch: cell('batch'), ops: cell('ops'), service: cell('service'), daemon: cell('daemon') }
  }
  const table = Object.fromEntries(COMPUTE_STATES.map((state) => [state, row(state)])) as RecoveryTable
  return { preset, table, overridden: [...overrides.keys()], ageRules, keepForMs }
}

function presetCell(row: Rows[ComputeState], type: JobType): RecoveryCell {
  const longRunning = type === 'service' || type === 'daemon'
  const action = typeof row === 'string' ? row : row[longRunning ? 1 : 0]
  return { action, reason: DEFAULT_REASONS[action] }
}

function readOverrides(cells: NonNullable<RecoveryPolicyOptions['cells']>): Map<string, RecoveryCell> {
  const overrides = new Map<string, RecoveryCell>()
  for (const [state, row] of Object.entries(cells)) {
    if (!isState(state)) {
      throw new TypeError(
        `unknown state ${JSON.stringify(state)} in the recovery policy: use ${COMPUTE_STATES.join(', ')}`,
      )
    }
    for (const [type, value] of Object.entries(row)) {
      if (!isJobType(type)) {
        throw new TypeError(
          `unknown job type ${JSON.stringify(type)} in the recovery policy: use ${JOB_TYPES.join(', ')}`,
        )
      }
      if (typeof value !== 'string') checkFields(`the cell ${state}/${type}`, value, CELL_FIELDS)
      const action = typeof value === 'string' ? value : value.action
      if (!LEGAL_ACTIONS[state].includes(action)) {
        throw new TypeError(
          `the recovery policy cannot ${JSON.stringify(action)} ${state}/${type}: use ${LEGAL_ACTIONS[state].join(', ')}`,
        )
      }
      const reason = typeof value === 'string' ? DEFAULT_REASONS[action] : value.reason
      overrides.set(`${state}/${type}`, { action, reason })
    }
  }
  return overrides
}

function isState(text: string): text is ComputeState {
  return (COMPUTE_STATES as readonly string[]).includes(text)
}

function isJobType(text: string): text is JobType {
  return (JOB_TYPES as readonly string[]).includes(text)
}
