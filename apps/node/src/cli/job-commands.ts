import {
  addCommand,
  DOCUMENT_FORMATS,
  labelsOption,
  outputOption,
  type Terminal,
  wholeNumber,
} from '@saltcod/cli-kit'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { readPairs, readPattern } from '../job-file/template/variables.ts'
import { addJobFlags, addNodeFlags, addNodeWaitFlag } from './flags.ts'
import { addHoldCommands } from './retention-commands.ts'

const TEMPLATE_HELP = `A job file is a Go template: {{.name}} is what -V name=value gives, and {{or (index . "name") "default"}} has a default;
there are if, else, with, range, pipes, printf, print, len, index, and, or, not, eq, ne, lt, le, gt, ge, and {{- -}}, which take
away the space beside them. A variable that is not given is an error. A {{ that is meant as a text is written {{"{{"}}.`

const ID_HELP = 'A job is named by its id, the beginning of it (j-1a2b3c4d), or its name.'

/** Adds `job run|validate|rerun|list|describe|history|executions|logs|get|stop|hold|release`. */
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
  addList(job, terminal)
  addReads(job, terminal)
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

function collectPairs(text: string, earlier: readonly string[] | undefined): readonly string[] {
  if (readPairs(text) === undefined) throw new InvalidArgumentError('It must be name=value.')
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
    examples: ['saltcod job rerun j-1a2b3c4d', 'saltcod job rerun hello --job-version 1 --no-wait'],
  })
    .option('--job-version <number>', 'as this version was written (default: the newest)', wholeNumber)
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
    .addOption(
      new Option(
        '--exit-code <of>',
        'job: 1 where a program ended with another code than 0; program: that code, where there is only one such code',
      )
        .choices(['job', 'program'])
        .default('job'),
    )
}

function addList(job: Command, terminal: Terminal): void {
  const command = addCommand(job, 'list', {
    description: 'Lists jobs, the newest first.',
    examples: [
      'saltcod job list',
      'saltcod job list --state Running,Queued --output json',
      "saltcod job list --labels 'env=prod,tier in (a,b)' --limit 100",
    ],
  })
    .option('--limit <number>', 'how many; 0: as many as one answer holds, 1000', wholeNumber, 10)
    .option('--next-token <token>', 'go on where an earlier listing ended')
    .option('--namespace <name>', 'only jobs of this namespace')
    .option('--state <states>', 'only jobs in these states, with commas between')
    .addOption(labelsOption())
    .option('--order-by <field>', 'created_at or modified_at')
    .option('--order-reversed', 'the oldest first')
    .option('--wide', 'whole ids')
    .addOption(outputOption())
  addNodeFlags(command).action(async (options) => {
    const { jobList } = await import('./commands/job-list.ts')
    await jobList(terminal, options)
  })
}

function addReads(job: Command, terminal: Terminal): void {
  const describe = addCommand(job, 'describe <id>', {
    description: 'Tells all about a job: what it is, where its executions stand, what has happened.',
    notes: ID_HELP,
    examples: ['saltcod job describe j-1a2b3c4d'],
  })
    .option('--wide', 'whole ids')
    .addOption(outputOption(DOCUMENT_FORMATS))
  addJobFlags(describe).action(async (id: string, options) => {
    const { jobDescribe } = await import('./commands/job-describe.ts')
    await jobDescribe(terminal, id, options)
  })
  const history = addCommand(job, 'history <id>', {
    description: 'Lists what has happened to a job and its executions, oldest first.',
    notes: ID_HELP,
    examples: ['saltcod job history j-1a2b3c4d --event-type execution'],
  })
    .option('--event-type <type>', 'all, job or execution')
    .option('--execution-id <id>', 'only this execution')
    .option('--limit <number>', 'how many; 0: all (default: all)', wholeNumber)
    .option('--next-token <token>', 'go on where an earlier listing ended')
    .option('--wide', 'whole ids')
    .addOption(outputOption())
  addJobFlags(history).action(async (id: string, options) => {
    const { jobHistory } = await import('./commands/job-history.ts')
    await jobHistory(terminal, id, options)
  })
  const executions = addCommand(job, 'executions <id>', {
    description: 'Lists the executions of a job.',
    notes: ID_HELP,
    examples: ['saltcod job executions j-1a2b3c4d --output json'],
  })
    .option('--limit <number>', 'how many; 0: all', wholeNumber, 20)
    .option('--next-token <token>', 'go on where an earlier listing ended')
    .option('--order-by <field>', 'created_at, modified_at, id or state')
    .option('--order-reversed', 'the other way round')
    .option('--all-versions', 'those of older versions of the job too')
    .option('--wide', 'whole ids')
    .addOption(outputOption())
  addJobFlags(executions).action(async (id: string, options) => {
    const { jobExecutions } = await import('./commands/job-executions.ts')
    await jobExecutions(terminal, id, options)
  })
}

function addLogs(job: Command, terminal: Terminal): void {
  const command = addCommand(job, 'logs <id>', {
    description: 'Prints what a job wrote: its standard output to ours, its standard error to ours.',
    notes: ID_HELP,
    examples: ['saltcod job logs -f j-1a2b3c4d', 'saltcod job logs hello --namespace science'],
  })
    .option('-f, --follow', 'go on until the job has ended; with --execution-id, until that execution has')
    .option('-t, --tail', 'only what is written from now on')
    .option('-e, --execution-id <id>', 'of this execution (default: the newest)')
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
    .addOption(outputOption(DOCUMENT_FORMATS))
  addJobFlags(command).action(async (id: string, options) => {
    const { jobStop } = await import('./commands/job-stop.ts')
    await jobStop(terminal, id, options)
  })
}
