import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { type CommandLine, systemTool } from '../../compute/keeper/confinement.ts'

const run = promisify(execFile)
const PROBE_MS = 10_000
/** What a shell puts into the environment of a program. */
const OF_THE_SHELL = ['PWD', 'OLDPWD', 'SHLVL', '_'] as const

/** How a program gets a network namespace: as root, or as an ordinary user in a user namespace. */
interface Form {
  readonly unshare: readonly string[]
  /** What takes the rights away again that bring the loopback up. */
  readonly drop: readonly string[]
}

/** Puts a program into a network namespace of its own, in which only the loopback device is. */
export type OwnNetwork = (program: CommandLine, env: Readonly<Record<string, string>>) => CommandLine

/** Finds out how this machine and user can have network namespaces; `null` where not. */
export async function findOwnNetwork(): Promise<OwnNetwork | null> {
  const forms: readonly Form[] = [
    { unshare: [], drop: [] },
    {
      unshare: ['--user', '--map-current-user', '--keep-caps'],
      drop: [systemTool('setpriv'), '--inh-caps=-all', '--ambient-caps=-all', '--'],
    },
  ]
  for (const form of forms) {
    const enter: OwnNetwork = (program, env) => entering(form, program, env)
    const { command, args } = enter({ command: '/bin/sh', args: ['-c', 'exit 0'] }, {})
    const works = await run(command, args, { env: {}, cwd: '/', timeout: PROBE_MS }).then(
      () => true,
      () => false,
    )
    if (works) return enter
  }
  return null
}

function entering(
  { unshare, drop }: Form,
  { command, args }: CommandLine,
  env: Readonly<Record<string, string>>,
): CommandLine {
  const unset = OF_THE_SHELL.filter((name) => env[name] === undefined).flatMap((name) => ['-u', name])
  const script = `'${systemTool('ip')}' link set lo up && exec "$@"`
  const program = [...drop, systemTool('env'), ...unset, command, ...args]
  return {
    command: systemTool('unshare'),
    args: [...unshare, '--net', '--', '/bin/sh', '-c', script, 'sh', ...program],
  }
}
