import { addCommand, type Terminal } from '@saltcod/cli-kit'
import { type Command, InvalidArgumentError } from 'commander'
import { commaSeparated } from '../job-file/template/variables.ts'
import { addForeignFlags, addNodeFlags } from './flags.ts'
import { addSubmitFlags, addWaitFlags, checkedBoolean } from './job-commands.ts'
import { addJobDescription, addTaskFlags } from './task-flags.ts'

/** Adds `docker run`. */
export function addDockerCommands(program: Command, terminal: Terminal): void {
  const docker = addCommand(program, 'docker', {
    description: 'Runs containers of images without a job file.',
    examples: ['saltcod docker run ubuntu:24.04 echo hello'],
  })
  const run = addCommand(docker, 'run <image> [args...]', {
    description: 'Submits a job that runs a container of an image, and waits for its end.',
    notes: `
What follows the image stands in place of its own command; write -- before what begins with -.
An input is URI, URI:PATH or src=URI,dst=PATH,opt=KEY=VALUE, and is found at /inputs unless told otherwise, where nothing can be
written. Without --network a container has the network Bridge.
`,
    examples: [
      'saltcod docker run ubuntu:24.04 echo hello',
      'saltcod docker run -i file:///srv/books:/books -o counts:/out -p local ubuntu:24.04 -- sh -c "wc /books/* > /out/counts"',
      'saltcod docker run --network none --cpu 1 --memory 512mb -e SEED=7 python:3 -- python -c "import os; print(os.environ)"',
      'saltcod docker run --dry-run --name hello ubuntu:24.04 echo hello > hello.yaml',
    ],
  })
    .option(
      '--entrypoint <words>',
      "in place of the image's own: a program, and with commas between what comes first of its arguments",
      collectEntrypoint,
    )
    .option('-w, --workdir <path>', "where it begins, in place of the image's own", checkedPath)
  addForeignFlags(addTaskFlags(run), OLDER_FLAGS)
  const waiting = run.option('--wait [boolean]', 'wait until the job has ended', checkedBoolean, true)
  addNodeFlags(addWaitFlags(addSubmitFlags(addJobDescription(waiting)))).action(
    async (image: string, args: readonly string[], options) => {
      const { dockerRun } = await import('./commands/docker-run.ts')
      await dockerRun(terminal, image, args, options)
    },
  )
}

/** Flags of older releases of Bacalhau's command line. */
const OLDER_FLAGS = {
  '--ipfs-connect <address>': 'a node has the sources that saltcod node describe lists',
  '-c <selector>': 'use: --constraints SELECTOR',
  '-s, --selector <selector>': 'use: --constraints SELECTOR',
  '--concurrency <number>': 'use: --count NUMBER',
}

function collectEntrypoint(text: string, earlier: readonly string[] | undefined): readonly string[] {
  const words = text === '' ? [] : commaSeparated(text)
  if (words === undefined) throw new InvalidArgumentError('Quotes in it must enclose a whole word.')
  return [...(earlier ?? []), ...words]
}

function checkedPath(path: string): string {
  if (path === '' || path.startsWith('/')) return path
  throw new InvalidArgumentError('It must be an absolute path.')
}
