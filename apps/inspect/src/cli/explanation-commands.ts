import { addCommand, outputOption } from '@saltcod/cli-kit'
import { RECOVERY_PRESET_ALIASES, RECOVERY_PRESETS, type RecoveryPreset } from '@saltcod/recovery/words'
import { InvalidArgumentError, Option } from 'commander'
import { type CommandLine, settle } from './command-line.ts'
import { addArchive } from './options.ts'

/** Adds the commands that explain how things stand and what comes next. */
export function addExplanationCommands(line: CommandLine): void {
  const { terminal } = line
  addCommand(line.program, 'summary <store>', {
    description: 'what an operator wants to know first (the default command)',
    examples: [
      'saltcod-inspect summary ./repository',
      'saltcod-inspect jobs.db',
      'saltcod-inspect summary ~/.bacalhau',
    ],
  })
    .addOption(outputOption())
    .action(async (store, options) => {
      const { summary } = await import('../commands/summary.ts')
      await settle(line, summary(terminal, store, options))
    })
  addArchive(
    addCommand(line.program, 'why <store> <id>', {
      description: 'why a job or execution is where it is, since when, and what happens next',
      examples: [
        'saltcod-inspect why ./repository nightly',
        'saltcod-inspect why executions.db e-1c9f63aa',
        'saltcod-inspect why ./archive yesterday',
        'saltcod-inspect why ~/.bacalhau noop',
      ],
    }).addOption(outputOption()),
  )
    .option('--namespace <name>', 'where to look for a name', 'default')
    .action(async (store, id, options) => {
      const { why } = await import('../commands/why.ts')
      await settle(line, why(terminal, store, id, options))
    })
  addCommand(line.program, 'recover <store>', {
    description: 'what a restart would do with each execution if the node stopped now',
    examples: [
      'saltcod-inspect recover ./repository',
      'saltcod-inspect recover executions.db --preset expire --output csv',
    ],
  })
    .addOption(outputOption())
    .option('--plan', 'show the plan, which is all that recover does: a node carries it out when it starts')
    .addOption(presetOption())
    .option('--config <file>', 'by the policy of this config file (default: the one in the repository)')
    .option('--wide', 'whole ids in a table')
    .action(async (store, options) => {
      const { recover } = await import('../commands/recover.ts')
      await settle(line, recover(terminal, store, options))
    })
}

/** Takes what the setting `Recovery.Preset` takes. */
function presetOption(): Option {
  const option = new Option('--preset <name>', 'by this policy').argParser((text: string): RecoveryPreset => {
    const wanted = text.trim().toLowerCase()
    const preset = RECOVERY_PRESETS.find((name) => name === wanted) ?? RECOVERY_PRESET_ALIASES.get(wanted)
    if (preset !== undefined) return preset
    throw new InvalidArgumentError(`It must be one of ${RECOVERY_PRESETS.join(', ')}.`)
  })
  // For the help and for shells.
  option.argChoices = [...RECOVERY_PRESETS]
  return option
}
