import { addCommand, collectWords, type Terminal } from '@saltcod/cli-kit'
import type { Command } from 'commander'
import { addForeignFlags, addNodeFlags } from './flags.ts'
import { addSubmitFlags, addWaitFlags, checkedBoolean } from './job-commands.ts'
import { addJobDescription, addTaskFlags } from './task-flags.ts'

/** Adds `wasm run`. */
export function addWasmCommands(program: Command, terminal: Terminal): void {
  const wasm = addCommand(program, 'wasm', {
    description: 'Runs modules of WebAssembly without a job file.',
    examples: ['saltcod wasm run main.wasm'],
  })
  const run = addCommand(wasm, 'run <module> [args...]', {
    description: 'Submits a job that runs a module of WebAssembly, and waits for its end.',
    notes: `
The module is a file (which goes with the job), a URI (http://, https://, file://, s3://, ipfs://), or the target of an --input; behind
a colon may stand where the job finds it: main.wasm:/app/main.wasm. What follows is for the module; write -- before what begins with -.
An input is URI, URI:PATH or src=URI,dst=PATH,opt=KEY=VALUE, and is found at /inputs unless told otherwise.
`,
    examples: [
      'saltcod wasm run main.wasm',
      'saltcod wasm run -i file:///srv/books:/books -o counts:/out -p local count.wasm -- --top 10',
      'saltcod wasm run -i http://example.org/lib.wasm:/lib.wasm -I /lib.wasm main.wasm',
      'saltcod wasm run --dry-run --name count main.wasm > count.yaml',
    ],
  })
  addForeignFlags(addTaskFlags(addModuleFlags(run)), OLDER_FLAGS)
  const waiting = run.option('--wait [boolean]', 'wait until the job has ended', checkedBoolean, true)
  addNodeFlags(addWaitFlags(addSubmitFlags(addJobDescription(waiting)))).action(
    async (module: string, args: readonly string[], options) => {
      const { wasmRun } = await import('./commands/wasm-run.ts')
      await wasmRun(terminal, module, args, options)
    },
  )
}

function addModuleFlags(command: Command): Command {
  return command
    .option('--entry-point <function>', 'the function that is called', '_start')
    .option('-I, --import-modules <targets>', 'targets of inputs that are modules to import', collectWords)
}

/** Flags of older releases of Bacalhau's command line. */
const OLDER_FLAGS = {
  '-U, --import-module-urls <url>': 'bring it in as an input, and name that: -i URL:/lib.wasm -I /lib.wasm',
  '--import-module-volumes <source>':
    'bring it in as an input, and name that: -i ipfs://CID:/lib.wasm -I /lib.wasm',
  '--ipfs-connect <address>': 'a node has the sources that saltcod node describe lists',
  '-c <selector>': 'use: --constraints SELECTOR',
  '-s, --selector <selector>': 'use: --constraints SELECTOR',
  '--concurrency <number>': 'use: --count NUMBER',
}
