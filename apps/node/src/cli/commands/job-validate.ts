import { complain, Failure, isFailure, printable, type Terminal } from '@saltcod/cli-kit'
import { EXIT } from '../../exit-code.ts'
import { examine } from '../../job-file/job-of.ts'
import { refuseWrong } from '../job-preview.ts'
import { readSpec, type TemplateOptions } from '../spec-file.ts'

/**
 * Says what is wrong with job files whatever node would get them; of several, for each by its name. No node is asked.
 * Throws a `Failure` where one is wrong.
 */
export async function jobValidate(
  terminal: Terminal,
  paths: readonly string[],
  options: TemplateOptions,
): Promise<void> {
  if (paths.length === 0 && terminal.inputIsTerminal) {
    throw new Failure(EXIT.usage, 'no job was given', {
      hint: 'name a YAML or JSON file, see: saltcod job validate --help',
    })
  }
  const [path = '-', ...others] = paths
  if (others.length > 0) return await validateEach(terminal, paths, options)
  refuseWrong(terminal, await readSpec(terminal, path, options))
  terminal.out('OK\n')
}

async function validateEach(
  terminal: Terminal,
  paths: readonly string[],
  options: TemplateOptions,
): Promise<void> {
  let wrong = 0
  for (const path of paths) {
    const named = (line: string): string => (line.includes(path) ? line : `${path}: ${line}`)
    try {
      const { problems, warnings } = examine(await readSpec(terminal, path, options))
      if (problems.length > 0) throw new Failure(EXIT.failed, problems)
      for (const warning of warnings) terminal.err(`Warning: ${printable(named(warning))}\n`)
      terminal.out(`${printable(path)}: OK\n`)
    } catch (error) {
      if (!isFailure(error) || error.exitCode !== EXIT.failed) throw error
      complain(terminal, error.lines.map(named), error.hint)
      wrong += 1
    }
  }
  if (wrong > 0) throw new Failure(EXIT.failed, `${wrong} of ${paths.length} job files are wrong`)
}
