import type { Terminal } from '@saltcod/cli-kit'
import { type Config, formatProblem, type LoadedConfig, listConfig, loadConfig } from '@saltcod/config'
import type { Logger } from 'pino'
import type { NodeFlags } from './configuration.ts'

/** The settings that a node takes while it serves; every other waits for the next start. */
const RELOADED: ReadonlySet<string> = new Set([
  'Logging.Level',
  'Retention',
  'Compaction.Fold.After',
  'Compaction.Rewrite.Every',
  'Compaction.Rewrite.DeadShare',
  'Compaction.Rewrite.MinSize',
  'Recovery.Interruptions.Limit',
  'Recovery.Interruptions.Immediate',
  'Recovery.Interruptions.Backoff',
  'Recovery.Interruptions.MaxBackoff',
  'Services.MinHealthyTime',
  'Services.Reschedule.Delay',
  'Services.Reschedule.MaxDelay',
  'Services.Reschedule.Unlimited',
  'Services.Reschedule.Attempts',
  'Services.Reschedule.Interval',
])

type Usable = LoadedConfig & { readonly config: Config }

/** The configuration of a node that serves, which can be read again. */
export class LiveConfiguration {
  readonly #terminal: Terminal
  readonly #flags: NodeFlags
  readonly #log: Logger
  /** As it was at the start. */
  readonly #first: Usable
  #now: Usable

  constructor(terminal: Terminal, flags: NodeFlags, loaded: Usable, log: Logger) {
    this.#terminal = terminal
    this.#flags = flags
    this.#log = log
    this.#first = loaded
    this.#now = loaded
  }

  /**
   * Reads flags, environment and files again, and returns the configuration with the settings that can be taken now;
   * `null` where there is a mistake, which is logged, or nothing to take.
   */
  reload(): Config | null {
    const loaded = loadConfig({ flags: this.#flags.settings, env: this.#terminal.env })
    const { config, errors, warnings } = loaded
    if (config === undefined) {
      this.#log.error(
        { mistakes: errors.map(formatProblem) },
        'the configuration was read again and has mistakes, so all stays as it was',
      )
      return null
    }
    for (const warning of warnings) this.#log.warn(formatProblem(warning))
    const taken = changedKeys(this.#now, loaded).filter((key) => RELOADED.has(key))
    const waiting = changedKeys(this.#first, loaded).filter((key) => !RELOADED.has(key))
    this.#now = { ...loaded, config }
    if (waiting.length > 0)
      this.#log.warn({ settings: waiting }, 'these settings are taken at the next start')
    this.#log.info({ settings: taken }, 'the configuration was read again')
    return taken.length === 0 ? null : config
  }

  /** Returns what is in force, in the shape of the config file. */
  shown(): Record<string, unknown> {
    const root: Record<string, unknown> = {}
    const rows = [
      ...listConfig(this.#first).filter(({ key }) => !RELOADED.has(key)),
      ...listConfig(this.#now).filter(({ key }) => RELOADED.has(key)),
    ]
    for (const { key, value } of rows) {
      if (value === undefined) continue
      const names = key.split('.')
      let level = root
      for (const name of names.slice(0, -1)) {
        level[name] ??= {}
        level = level[name] as Record<string, unknown>
      }
      level[names.at(-1) ?? key] = value
    }
    return root
  }
}

function changedKeys(before: LoadedConfig, after: LoadedConfig): string[] {
  const earlier = new Map(listConfig(before).map(({ key, value }) => [key, JSON.stringify(value)]))
  return listConfig(after).flatMap(({ key, value }) =>
    earlier.get(key) === JSON.stringify(value) ? [] : [key],
  )
}
