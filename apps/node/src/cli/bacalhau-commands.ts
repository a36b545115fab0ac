import { addCommand, Failure } from '@saltcod/cli-kit'
import type { Command } from 'commander'
import { EXIT } from '../exit-code.ts'

/** What does here what commands of Bacalhau do that are not there. */
const INSTEAD: Readonly<Record<string, string>> = {
  agent:
    'saltcod version tells the version of the node, saltcod node describe what it has, saltcod config list its settings',
  auth: 'a node that is reached from other machines asks for a token: see saltcod token --help, and --token FILE',
  cancel: 'use: saltcod job stop ID',
  create: 'use: saltcod job run FILE',
  describe: 'use: saltcod job describe ID',
  devstack: 'use: saltcod serve',
  exec: 'write a job of the engine exec, and submit it: saltcod job run FILE',
  get: 'use: saltcod job get ID',
  id: 'use: saltcod node describe',
  list: 'use: saltcod job list',
  logs: 'use: saltcod job logs ID',
  profile: 'use: --host and --port, or BACALHAU_API_HOST and BACALHAU_API_PORT',
  validate: 'use: saltcod job validate FILE',
}

/** Adds the commands of Bacalhau that are not there, hidden: whoever types one is told what does the same. */
export function addBacalhauCommands(program: Command): void {
  for (const [name, hint] of Object.entries(INSTEAD)) {
    addCommand(program, `${name} [words...]`, { description: hint, hidden: true })
      .helpOption(false)
      .allowUnknownOption()
      .action(() => {
        throw new Failure(EXIT.usage, `there is no command ${name}, which Bacalhau has`, { hint })
      })
  }
}
