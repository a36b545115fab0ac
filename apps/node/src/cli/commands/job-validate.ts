import { Failure, type Terminal } from '@saltcod/cli-kit'
import { EXIT } from '../../exit-code.ts'
import { refuseWrong } from '../job-preview.ts'
import { readSpec, type TemplateOptions } from '../spec-file.ts'

/** Says what is wrong with a job file whatever node would get it. No node is asked. */
export async function jobValidate(
  terminal: Terminal,
  path: string | undefined,
  options: TemplateOptions,
): Promise<void> {
  if (path === undefined && terminal.inputIsTerminal) {
    throw new Failure(EXIT.usage, 'no job was given', {
      hint: 'name a YAML or JSON file, see: saltcod job validate --help',
    })
  }
  refuseWrong(terminal, await readSpec(terminal, path ?? '-', options))
  terminal.out('OK\n')
}
