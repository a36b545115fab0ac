import { addCommand, DOCUMENT_FORMATS, type Terminal, wholeNumber } from '@saltcod/cli-kit'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { readPairs, readPattern } from '../job-file/template/variables.ts'
import {
  addDocumentFlags,
  addForeignFlags,
  addJobFlags,
  addNodeFlags,
  addNodeWaitFlag,
  addVersionFlag,
} from './flags.ts'
import { addJobReads, ID_HELP } from './job-reads.ts'
import { addHoldCommands } from './retention-commands.ts'

const TEMPLATE_HELP = `A job file is a Go template: {{.name}} is what -V name=value gives, and {{or (index . "name") "default"}} has a default;
there are if, else, with, range, pipes, printf, print, len, index, and, or, not, eq, ne, lt, le, gt, ge, and {{- -}}, which take
away the space beside them. A variable that is not given is an error. A {{ that is meant as a text is written {{"{{"}}.`

/** Adds `job run|validate|rerun|list|describe|why|history|executions|versions|logs|get|stop|hold|release`. */
export function addJobCommands(program: Command, terminal: Terminal): void {
  const job = addCommand(program, 'job', {
    description: 'Submits jobs and looks after them.',
    examples: [
      'saltcod job run hello.yaml',
      'saltcod job list',
      'saltcod job describe j-1a2b3c4d',
      'saltcod job logs -f j-1a2b3c4d',
    ],
  })
  addRun(job, terminal)
  addValidate(job, terminal)
  addRerun(job, terminal)
  addJobReads(job, terminal)
  addLogs(job, terminal)
  addGet(job, terminal)
  addStop(job, terminal)
  addHoldCommands(job, terminal)
}

function addRun(job: Command, terminal: Terminal): void {
  const command = addCommand(job, 'run [spec]', {
    description:
      'Submits a job from a YAML or JSON file (- or nothing: standard input) and waits for its end.',
    notes: `
Exit code 0 if the job completed and each of its programs ended with 0; 1 if one did not, the job failed, was stopped, or is not over
in time; 3 if its node cannot be reached; 130 after Ctrl-C. The job goes on without being waited for.

  hello.yaml:
    name: hello
    type: batch
    count: 1
    tasks:
      - name: main
        engine: { type: noop, params: { DurationMs: 1000 } }

${TEMPLATE_HELP}
`,
    examples: [
      'saltcod job run hello.yaml',
      'saltcod job run --id-only --no-wait hello.yaml',
      'cat hello.json | saltcod job run -',
      'saltcod job run --force hello.yaml       # again, although nothing in it has changed',
      'saltcod job run -V name=hello -V seconds=3 template.yaml',
      "saltcod job run -E '^APP_' template.yaml   # {{.APP_MODE}} is the variable APP_MODE of the environment",
      'saltcod job run --dry-run -V name=hello template.yaml',
    ],
  }).option('--wait [boolean]', 'wait until the job has ended (a service: until it is healthy)', true)
  addNodeFlags(addWaitFlags(addSubmitFlags(addTemplateFlags(command)))).action(
    async (spec: string | undefined, options) => {
      const { jobRun } = await import('./commands/job-run.ts')
      await jobRun(terminal, spec, options)
    },
  )
}

/** Adds the options that say how a job is submitted. */
export function addSubmitFlags(command: Command): Command {
  return command
    .option('--no-wait', 'return as soon as the node has taken the job')
    .option('--force', 'submit it even where the job of that name is exactly the same')
    .option('--idempotency-key <key>', 'submitting again with the same key gives the same job')
    .option('--hide-warnings', 'do not print what the node left out')
    .option('--dry-run', 'print what would be submitted, and what is wrong with it; no node is asked')
    .addOption(new Option('--show-warnings', 'warnings are shown anyway').hideHelp())
}

function addValidate(job: Command, terminal: Terminal): void {
  const command = addCommand(job, 'validate [specs...]', {
    description:
      'Says all that is wrong with job files (- or nothing: standard input), whatever node would get them. No node is asked.',
    notes: `Exit code 0, and OK, where nothing is; 1 with a line for each thing that is.\n\n${TEMPLATE_HELP}`,
    examples: [
      'saltcod job validate hello.yaml',
      'saltcod job validate jobs/*.yaml',
      'saltcod job validate -V name=hello template.yaml',
    ],
  })
  addTemplateFlags(command).action(async (specs: string[], options) => {
    const { jobValidate } = await import('./commands/job-validate.ts')
    await jobValidate(terminal, specs, options)
  })
}

function addTemplateFlags(command: Command): Command {
  return command
    .option(
      '-V, --template-vars <name=value>',
      'fill in {{.name}} with this value; may be repeated, or list several with commas between',
      collectPairs,
    )
    .option(
      '-E, --template-envs <pattern>',
      'fill in variables of the environment whose names match this regular expression',
      checkedPattern,
    )
    .option('--no-template', 'take the file as it stands, {{ and }} too')
}

/** Reads the value of an option that is true or false. Throws where the text is neither. */
export function checkedBoolean(text: string): boolean {
  if (text === 'true' || text === 'false') return text === 'true'
  throw new InvalidArgumentError('It must be true or false, as in --wait=false.')
}

function collectPairs(text: string, earlier: readonly string[] | undefined): readonly string[] {
  if (readPairs(text) === undefined) {
    throw new InvalidArgumentError(
      'It must be name=value, or several with commas between; one with commas or quotes in its value stands alone.',
    )
  }
  return [...(earlier ?? []), text]
}

function checkedPattern(pattern: string): string {
  try {
    readPattern(pattern)
    return pattern
  } catch {
    throw new InvalidArgumentError('It must be a regular expression, such as ^APP_.')
  }
}

function addRerun(job: Command, terminal: Terminal): void {
  const command = addCommand(job, 'rerun <id>', {
    description:
      'Runs a job again, as a new version of it, and waits for its end. It must have begun or be over.',
    notes: `${ID_HELP}

Exit code 0 if the job completed and each of its programs ended with 0; 1 if one did not, the job failed, was stopped, or is not over
in time; 3 if its node cannot be reached; 130 after Ctrl-C. The job goes on without being waited for.
`,
    examples: ['saltcod job rerun j-1a2b3c4d', 'saltcod job rerun hello --version 1 --no-wait'],
  })
  addVersionFlag(command, 'as this version was written (default: the newest)')
    .option('--wait [boolean]', 'wait until the job has ended', checkedBoolean, true)
    .option('--no-wait', 'return as soon as the node has taken it')
  addJobFlags(addWaitFlags(command)).action(async (id: string, options) => {
    const { jobRerun } = await import('./commands/job-rerun.ts')
    await jobRerun(terminal, id, options)
  })
}

/** Adds the options that say how the end of a job is waited for. */
export function addWaitFlags(command: Command): Command {
  return addNodeWaitFlag(command)
    .option('--wait-timeout-secs <seconds>', 'wait no longer than this; the job goes on', wholeNumber, 600)
    .option('--id-only', 'print the id of the job and nothing else')
    .option('-f, --follow', 'print what the job writes while it runs')
    .option('--node-details', 'at the end list its executions, and the nodes that they ran on')
    .option('--group-events', 'tell what happened when it is over, execution by execution')
    .addOption(
      new Option(
        '--exit-code <of>',
        'job: 1 where a program ended with another code than 0; program: that code, where there is only one such code',
      )
        .choices(['job', 'program'])
        .default('job'),
    )
}

function addLogs(job: Command, terminal: Terminal): void {
  const command = addCommand(job, 'logs <id>', {
    description: 'Prints what a job wrote: its standard output to ours, its standard error to ours.',
    notes: ID_HELP,
    examples: ['saltcod job logs -f j-1a2b3c4d', 'saltcod job logs hello --namespace science'],
  })
    .option(
      '-f, --follow',
      'go on until the job has ended; with --execution-id or --version, until that execution has',
    )
    .option('-t, --tail', 'with --follow: only what is written from now on')
    .option('-e, --execution-id <id>', 'of this execution (default: the newest)')
  addVersionFlag(command, 'of this version of the job (default: the newest)')
  addJobFlags(addNodeWaitFlag(command)).action(async (id: string, options) => {
    const { jobLogs } = await import('./commands/job-logs.ts')
    await jobLogs(terminal, id, options)
  })
}

function addGet(job: Command, terminal: Terminal): void {
  const command = addCommand(job, 'get <id>', {
    description: 'Brings the results of a job, checked, and goes on where an earlier try was broken off.',
    notes: `${ID_HELP}

Nothing that is there is replaced. Of a job with several executions the results of each are in a directory of its own.

Exit code 0 if all results are there; 1 if there are none, they are damaged, or cannot be written; 3 if the node cannot
be reached; 130 after Ctrl-C. What has come is kept beside their place, and the same command goes on from there.
`,
    examples: ['saltcod job get j-1a2b3c4d', 'saltcod job get hello --output-dir results'],
  }).option('--output-dir <directory>', 'where to (default: job- and the short id of the job)')
  addForeignFlags(command, {
    '--raw': 'results come as they are, each execution of several in a directory of its own',
    '--download-timeout-secs <duration>':
      'a download takes as long as it takes, and goes on where it was; --wait-for-node says for how long a lost node is waited for',
    '--ipfs-connect <address>': 'results come from the nodes that ran the job',
  })
  addJobFlags(addNodeWaitFlag(command)).action(async (id: string, options) => {
    const { jobGet } = await import('./commands/job-get.ts')
    await jobGet(terminal, id, options)
  })
}

function addStop(job: Command, terminal: Terminal): void {
  const command = addCommand(job, 'stop <id>', {
    description: 'Stops a job and everything that runs for it.',
    notes: ID_HELP,
    examples: ["saltcod job stop j-1a2b3c4d --reason 'wrong input'"],
  })
    .option('--reason <text>', 'why, for its history')
    .option('--quiet', 'print nothing')
  addJobFlags(addDocumentFlags(command, DOCUMENT_FORMATS)).action(async (id: string, options) => {
    const { jobStop } = await import('./commands/job-stop.ts')
    await jobStop(terminal, id, options)
  })
}
