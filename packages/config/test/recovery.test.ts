import { RECOVERY_ACTIONS, recoveryPolicy } from '@saltcod/recovery'
import { COMPUTE_MACHINE, COMPUTE_STATES } from '@saltcod/store-core'
import { describe, expect, it } from 'vitest'
import { temporaryDirectory } from '../../../test/temporary-directory.ts'
import { loadConfig } from '../src/index.ts'
import { nested } from './samples.ts'

const STATES = COMPUTE_STATES.filter((state) => !COMPUTE_MACHINE.terminal.has(state))

describe('the recovery settings', () => {
  it('are what the recovery package takes, and their defaults are its defaults', () => {
    const { config } = loadConfig({ env: { HOME: temporaryDirectory() } })
    expect(config).toBeDefined()
    if (config === undefined) return
    const { interruptions: _, ...policy } = config.recovery
    expect(recoveryPolicy(policy)).toEqual(recoveryPolicy())
  })

  it.each(STATES)('take and refuse the same actions for %s as the recovery package', (state) => {
    for (const action of RECOVERY_ACTIONS) {
      const rule = [{ State: state, OlderThan: '1h', Action: action }]
      const taken = [nested(`Recovery.Cells.${state}.ops`, action), nested('Recovery.AgeRules', rule)].map(
        (file) => {
          const home = temporaryDirectory({ 'c.yaml': JSON.stringify(file) })
          return loadConfig({ env: { HOME: home }, files: ['c.yaml'], cwd: home }).errors.length === 0
        },
      )
      const isLegal = (): boolean => {
        try {
          recoveryPolicy({ cells: { [state]: { ops: action } } })
          return true
        } catch {
          return false
        }
      }
      expect(taken, `${state} ${action}`).toEqual([isLegal(), isLegal()])
    }
  })
})
