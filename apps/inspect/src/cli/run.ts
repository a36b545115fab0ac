import { existsSync } from 'node:fs'
import { isStoreError, type StoreErrorCode } from '@saltcod/store-core'
import { CommanderError } from 'commander'
import { crashBefore } from '../crash.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { isFailure } from '../failure.ts'
import { careHint } from '../store/unreadable-store.ts'
import { complain } from './complaint.ts'
import { createProgram } from './program.ts'
import type { Terminal } from './terminal.ts'

const FOREIGN_HINT = 'give a store file, or the repository directory of a node'

const READ_ONLY_HINT = 'give a path on a file system that can be written'

const NOT_THERE: ReadonlySet<StoreErrorCode> = new Set<StoreErrorCode>([
  'JOB_NOT_FOUND',
  'JOB_VERSION_NOT_FOUND',
  'EXECUTION_NOT_FOUND',
  'EVALUATION_NOT_FOUND',
])
const REFUSED: ReadonlySet<StoreErrorCode> = new Set<StoreErrorCode>([
  'JOB_ALREADY_EXISTS',
  'JOB_NAME_TAKEN',
  'SUBMIT_KEY_CONFLICT',
  'EXECUTION_ALREADY_EXISTS',
  'EVALUATION_ALREADY_EXISTS',
  'AMBIGUOUS_ID',
  'INVALID_CURSOR',
  'INVALID_ARGUMENT',
  'FEED_DIVERGED',
  'STORE_LOCKED',
])

/** Runs the program with arguments as `process.argv` has them, and resolves with its exit code. Never rejects. */
export async function run(terminal: Terminal, argv: readonly string[]): Promise<ExitCode> {
  const line = createProgram(terminal)
  const names = line.program.commands.map((command) => command.name())
  const args = withDefaultVerb(argv.slice(2), names)
  const crash = crashBefore(terminal.env)
  // Where a store is known to have done it, the commands pass that one over.
  if (crash?.path === '') {
    complain(terminal, `something ended the process of the command (${crash.signal})`)
    return EXIT.unreadable
  }
  try {
    await line.program.parseAsync(args, { from: 'user' })
    return line.exitCode
  } catch (error) {
    return report(terminal, error, argv.includes('--debug'))
  }
}

/** Puts `summary` before a store that comes without a command. */
function withDefaultVerb(args: readonly string[], names: readonly string[]): string[] {
  const [first] = args
  const isStore =
    first !== undefined &&
    !first.startsWith('-') &&
    first !== 'help' &&
    !names.includes(first) &&
    (existsSync(first) || /[/.]/.test(first))
  return isStore ? ['summary', ...args] : [...args]
}

function report(terminal: Terminal, error: unknown, debug: boolean): ExitCode {
  // Help, version and usage have been printed already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
  if (debug) terminal.err(`${error instanceof Error ? (error.stack ?? '') : String(error)}\n`)
  if (isFailure(error)) return complainWithHint(terminal, error, error.exitCode)
  if (isStoreError(error, 'STORE_FOREIGN')) {
    // Nobody who only looks wants to move what is there out of the way.
    return complainWithHint(terminal, { message: error.message, hint: FOREIGN_HINT }, EXIT.unreadable)
  }
  if (isStoreError(error, 'STORE_DAMAGED')) {
    const hint = careHint(error.details.path ?? 'STORE')
    return complainWithHint(terminal, { message: error.message, hint }, EXIT.unreadable)
  }
  if (isReadOnlyPlace(error)) {
    return complainWithHint(terminal, { message: error.message, hint: READ_ONLY_HINT }, EXIT.usage)
  }
  if (isStoreError(error)) return complainWithHint(terminal, error, exitCodeOf(error.code))
  const unexpected = 'this should not happen; run it again with --debug and report what it prints'
  complain(
    terminal,
    (error instanceof Error ? error.message : String(error)).split('\n').join(' '),
    debug ? undefined : unexpected,
  )
  return EXIT.unreadable
}

/** Only what is to be written can meet a read-only file system: the wish is refused, and the store may well be readable. */
function isReadOnlyPlace(error: unknown): error is Error {
  const cause = isStoreError(error, 'STORE_PERMISSION') ? error.cause : error
  return error instanceof Error && cause instanceof Error && 'code' in cause && cause.code === 'EROFS'
}

/** A wish that cannot be met is the caller's matter; everything else says that the store cannot be read. */
function exitCodeOf(code: StoreErrorCode): ExitCode {
  if (NOT_THERE.has(code)) return EXIT.findings
  return REFUSED.has(code) ? EXIT.usage : EXIT.unreadable
}

function complainWithHint(
  terminal: Terminal,
  error: { readonly message: string; readonly hint: string | undefined },
  exitCode: ExitCode,
): ExitCode {
  complain(terminal, error.message, error.hint)
  return exitCode
}
