import {
  addCommand,
  DOCUMENT_FORMATS,
  durationMs,
  outputOption,
  type Terminal,
  wholeNumber,
} from '@saltcod/cli-kit'
import type { Command } from 'commander'
import { addJobFlags, addNodeFlags, addNodeWaitFlag } from './flags.ts'

/** Adds `gc`. */
export function addGcCommand(program: Command, terminal: Terminal): void {
  const command = addCommand(program, 'gc', {
    summary: 'remove old jobs',
    description:
      'Removes the ended jobs that the rules of the configuration (Retention) let go, oldest first, with all that belongs to them. The node does so by itself every minute.',
    notes: `
A job that has not ended is never touched, nor one that is held (saltcod job hold). Ctrl-C ends the waiting: what the node has begun
it ends within 20 seconds.
`,
    examples: [
      'saltcod gc --dry-run',
      'saltcod gc --max-age 30d --namespace science',
      'saltcod gc --max-count 1000 --output json',
    ],
  })
    .option('--dry-run', 'remove nothing, say what would go')
    .option(
      '--max-age <duration>',
      'instead of the rules: what ended so long ago, such as 7d or 90m',
      durationMs,
    )
    .option(
      '--max-count <number>',
      'instead of the rules: all but the newest, in each namespace and final state',
      wholeNumber,
    )
    .option('--namespace <name>', 'only jobs of this namespace')
    .option(
      '--confirm-clock',
      "the clock is right, although it is more than a day from the store's newest change",
    )
    .addOption(outputOption(DOCUMENT_FORMATS))
  addNodeFlags(addNodeWaitFlag(command)).action(async (options) => {
    const { gc } = await import('./commands/gc.ts')
    await gc(terminal, options)
  })
}

/** Adds `compact`. */
export function addCompactCommand(program: Command, terminal: Terminal): void {
  const command = addCommand(program, 'compact', {
    summary: 'give dead space back to the disk',
    description:
      'Rewrites the stores of the node without the space that removed records left, while it works. The node does so by itself where Compaction.Rewrite in its configuration says so.',
    notes: `
Ctrl-C ends the waiting, and the node goes on. A node that ends meanwhile leaves the stores as they were, and is asked again when it is
back.
`,
    examples: ['saltcod compact', 'saltcod compact --output json', 'saltcod compact --stop'],
  })
    .option('--stop', 'stop a compaction that is going on; the stores stay as they are')
    .addOption(outputOption(DOCUMENT_FORMATS))
  addNodeFlags(addNodeWaitFlag(command)).action(async (options) => {
    const { compact } = await import('./commands/compact.ts')
    await compact(terminal, options)
  })
}

/** Adds `job hold` and `job release`. */
export function addHoldCommands(job: Command, terminal: Terminal): void {
  const hold = addCommand(job, 'hold <id>', {
    description: 'Keeps a job from being removed, however old it gets.',
    examples: ["saltcod job hold j-1a2b3c4d --reason 'audit of March'"],
  })
    .requiredOption('--reason <text>', 'why, for others')
    .addOption(outputOption(DOCUMENT_FORMATS))
  addJobFlags(hold).action(async (id: string, options) => {
    const { jobHold } = await import('./commands/job-hold.ts')
    await jobHold(terminal, id, options)
  })
  const release = addCommand(job, 'release <id>', {
    description: 'Lets a job go that was held: the rules hold for it again.',
    examples: ['saltcod job release j-1a2b3c4d'],
  }).addOption(outputOption(DOCUMENT_FORMATS))
  addJobFlags(release).action(async (id: string, options) => {
    const { jobHold } = await import('./commands/job-hold.ts')
    await jobHold(terminal, id, options)
  })
}
