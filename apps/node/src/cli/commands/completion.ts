import type { Terminal } from '@saltcod/cli-kit'
import { JOB_STATES } from '@saltcod/store-core'
import type { Command, Option } from 'commander'
import type { NodeFlags } from '../configuration.ts'
import { clientFor } from '../configuration.ts'
import { settingKeys, wordsOfFlag } from '../setting-words.ts'

/** The shells that completions are written for. */
export const SHELLS: readonly string[] = ['bash', 'zsh', 'fish']

/** The hidden command that the scripts ask for job ids. */
const JOB_IDS_COMMAND = 'completion-jobs'

const MOST_JOBS = 50
const PATIENCE_MS = 1_000
const JOB_ORDERS: readonly string[] = ['created_at', 'modified_at']
const EXECUTION_ORDERS: readonly string[] = [...JOB_ORDERS, 'id', 'state']
const FLAG_WORDS: ReadonlyMap<string, readonly string[]> = new Map([
  ['--state', JOB_STATES],
  ['--event-type', ['all', 'job', 'execution']],
  ['--order-by', JOB_ORDERS],
  ['--wait', ['true', 'false']],
])

/** What stands behind the words of a command. */
type Operand = 'jobs' | 'files' | 'nothing'

interface Flag {
  readonly name: string
  readonly takesValue: boolean
  /** The words that it takes; none where it takes others. */
  readonly words: readonly string[]
}

interface Entry {
  /** The words before, such as `job list`; empty at the top. */
  readonly path: string
  readonly commands: readonly string[]
  readonly flags: readonly Flag[]
  readonly operand: Operand
  /** The words that it takes in place of an operand, such as names of shells. */
  readonly words: readonly string[]
}

/** Prints a script that completes commands, flags, their words, job ids and files in a shell. */
export function completion(terminal: Terminal, program: Command, shell: string): void {
  const entries = entriesOf(program, [])
  terminal.out(shell === 'fish' ? fish(entries) : bash(entries, shell === 'zsh'))
}

/** Prints the ids of the newest jobs, a line each; nothing where no node answers within a second. */
export async function completionJobs(terminal: Terminal, flags: NodeFlags): Promise<void> {
  try {
    const listing = clientFor(terminal, flags).listJobs({ limit: MOST_JOBS, reverse: true })
    const late = new Promise<null>((resolve) => setTimeout(() => resolve(null), PATIENCE_MS).unref())
    const page = await Promise.race([listing, late])
    for (const { ID } of page?.Items ?? []) terminal.out(`${ID}\n`)
  } catch {
    // A shell that completes has no place for an error.
  }
}

function entriesOf(command: Command, path: readonly string[]): Entry[] {
  const shown = command.commands.filter((inner) => inner.name() !== JOB_IDS_COMMAND)
  const [argument] = command.registeredArguments
  const name = argument?.name() ?? ''
  return [
    {
      path: path.join(' '),
      commands: shown.map((inner) => inner.name()),
      flags: [
        ...command.options.filter((option) => !option.hidden).map((option) => flagOf(option, command.name())),
        { name: '--help', takesValue: false, words: [] },
      ],
      operand: name === 'id' && path[0] === 'job' ? 'jobs' : name === 'spec' ? 'files' : 'nothing',
      words: name === 'shell' ? SHELLS : name === 'key' ? settingKeys() : [],
    },
    ...shown.flatMap((inner) => entriesOf(inner, [...path, inner.name()])),
  ]
}

function flagOf(option: Option, command: string): Flag {
  const name = option.long ?? option.short ?? ''
  const takesValue = option.required || option.optional
  const words = option.argChoices ?? (takesValue ? wordsOf(name, command) : [])
  return { name, takesValue, words }
}

function wordsOf(name: string, command: string): readonly string[] {
  if (name === '--order-by' && command === 'executions') return EXECUTION_ORDERS
  return FLAG_WORDS.get(name) ?? wordsOfFlag(name)
}

/** The script for bash; zsh runs it too. Words are separated by line ends, because names of files may have spaces. */
function bash(entries: readonly Entry[], forZsh: boolean): string {
  const quoted = (words: readonly string[]): string => `$'${words.join('\\n')}'`
  const paths = entries.map(
    ({ path, commands, flags, operand, words }) =>
      `      '${path}') words=${quoted([...commands, ...words])}; flags=${quoted(flags.map(({ name }) => name))}; operand=${operand}; break ;;`,
  )
  const values = entries.flatMap(({ path, flags }) =>
    flags
      .filter(({ takesValue }) => takesValue)
      .map(({ name, words }) =>
        words.length === 0
          ? `    '${path} ${name}') words=''; operand=files ;;`
          : `    '${path} ${name}') words=${quoted(words)}; operand=nothing ;;`,
      ),
  )
  const shell = forZsh ? 'zsh' : 'bash'
  const head = forZsh ? '#compdef saltcod\nautoload -U +X bashcompinit && bashcompinit\n' : ''
  return `${head}# Completions of saltcod. In ${shell}:  source <(saltcod completion ${shell})
_saltcod() {
  local IFS=$'\\n' word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}"
  local path="" words="" flags="" operand=nothing node=() i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${COMP_WORDS[i]}" in
      --repo|--host|--port|--config) node+=("\${COMP_WORDS[i]}" "\${COMP_WORDS[i+1]}") ;;
      -*) ;;
      *) path="\${path:+$path }\${COMP_WORDS[i]}" ;;
    esac
  done
  while :; do
    case "$path" in
${paths.join('\n')}
    esac
    case "$path" in *" "*) path="\${path% *}" ;; *) path="" ;; esac
  done
  case "$path $before" in
${values.join('\n')}
    *) case "$word" in -*) words="$flags"; operand=nothing ;; esac ;;
  esac
  [ "$operand" != jobs ] || words="$words"$'\\n'"$(saltcod ${JOB_IDS_COMMAND} "\${node[@]}" 2>/dev/null)"
  COMPREPLY=($(compgen -W "$words" -- "$word"))
  [ "$operand" != files ] || COMPREPLY+=($(compgen -f -- "$word"))
}
complete -o filenames -F _saltcod saltcod
`
}

function fish(entries: readonly Entry[]): string {
  const lines = entries.flatMap(({ path, commands, flags, operand, words }) => {
    const condition =
      path === ''
        ? '__fish_use_subcommand'
        : path
            .split(' ')
            .map((word) => `__fish_seen_subcommand_from ${word}`)
            .join('; and ')
    const line = (what: string): string => `complete -c saltcod -n '${condition}' ${what}`
    return [
      ...[...commands, ...words].map((word) => line(`-f -a ${word}`)),
      ...flags.map(({ name, takesValue, words: own }) => {
        const value = own.length > 0 ? ` -x -a '${own.join(' ')}'` : takesValue ? ' -r' : ''
        return line(`-l ${name.slice(2)}${value}`)
      }),
      ...(operand === 'jobs' ? [line(`-f -a '(saltcod ${JOB_IDS_COMMAND} 2>/dev/null)'`)] : []),
    ]
  })
  return `# Completions of saltcod. In fish:  saltcod completion fish | source\n${lines.join('\n')}\n`
}
