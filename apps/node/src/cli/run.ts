import { runProgram, type Terminal } from '@saltcod/cli-kit'
import { EXIT } from '../exit-code.ts'
import { refusalOfPlace } from '../unusable-place.ts'
import { createCommandLine } from './program.ts'

/** Runs the program with arguments as `process.argv` has them, and resolves with its exit code. Never rejects. */
export async function run(terminal: Terminal, argv: readonly string[]): Promise<number> {
  return await runProgram(terminal, createCommandLine(terminal), argv.slice(2), {
    unforeseen: EXIT.failed,
    failureOf: refusalOfPlace,
  })
}
