import { existsSync } from 'node:fs'
import { complain, Failure, runProgram, type Terminal } from '@saltcod/cli-kit'
import { isStoreError, type StoreError, type StoreErrorCode } from '@saltcod/store-core'
import { crashBefore } from '../crash.ts'
import { EXIT, type ExitCode } from '../exit-code.ts'
import { damageHint, remedyHint } from '../store/unreadable-store.ts'
import { createCommandLine } from './program.ts'

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
export async function run(terminal: Terminal, argv: readonly string[]): Promise<number> {
  const line = createCommandLine(terminal)
  const names = line.program.commands.map((command) => command.name())
  const crash = crashBefore(terminal.env)
  // Where a store is known to have done it, the commands pass that one over.
  if (crash?.path === '') {
    complain(terminal, `something ended the process of the command (${crash.signal})`)
    return EXIT.unreadable
  }
  const args = withDefaultCommand(argv.slice(2), names)
  const code = await runProgram(terminal, line.program, args, { unforeseen: EXIT.unreadable, failureOf })
  return code === EXIT.ok ? line.exitCode : code
}

/** Puts `summary` before a store that comes without a command. */
function withDefaultCommand(args: readonly string[], names: readonly string[]): string[] {
  const [first] = args
  const isStore =
    first !== undefined &&
    !first.startsWith('-') &&
    first !== 'help' &&
    !names.includes(first) &&
    (existsSync(first) || /[/.]/.test(first))
  return isStore ? ['summary', ...args] : [...args]
}

/** Makes a `Failure` of what a store says; any other value comes back as it is. */
function failureOf(error: unknown): unknown {
  if (isReadOnlyPlace(error))
    return new Failure(EXIT.usage, error.message, { hint: READ_ONLY_HINT, cause: error })
  if (!isStoreError(error)) return error
  const hint = hintOf(error)
  return new Failure(exitCodeOf(error.code), error.message, { hint, cause: error })
}

function hintOf(error: StoreError): string | undefined {
  // Nobody who only looks wants to move what is there out of the way.
  if (error.code === 'STORE_FOREIGN') return FOREIGN_HINT
  return error.code === 'STORE_DAMAGED' ? damageHint(error, 'STORE') : remedyHint(error, 'STORE')
}

/**
 * Only what is to be written can meet a read-only file system: the wish is refused, and the store may well be
 * readable.
 */
function isReadOnlyPlace(error: unknown): error is Error {
  const cause = isStoreError(error, 'STORE_PERMISSION') ? error.cause : error
  return error instanceof Error && cause instanceof Error && 'code' in cause && cause.code === 'EROFS'
}

/** A wish that cannot be met is the caller's matter; everything else says that the store cannot be read. */
function exitCodeOf(code: StoreErrorCode): ExitCode {
  if (NOT_THERE.has(code)) return EXIT.findings
  return REFUSED.has(code) ? EXIT.usage : EXIT.unreadable
}
