import { type Format, isFailure, printWhole, type Terminal } from '@saltcod/cli-kit'
import { EXIT } from '../../exit-code.ts'
import { programVersion } from '../../version.ts'
import type { NodeFlags } from '../configuration.ts'
import { clientFor } from '../configuration.ts'

/** Options of `version`. */
export interface VersionOptions extends NodeFlags {
  readonly output: Format
  readonly client?: boolean
}

/** Tells the version of this program, and that of the node if one answers. */
export async function version(terminal: Terminal, options: VersionOptions): Promise<void> {
  const own = `v${programVersion()}`
  const node = options.client === true ? null : await nodeVersion(terminal, options)
  if (options.output !== 'table') {
    printWhole(terminal, options.output, { client: own, server: node })
    return
  }
  terminal.out(`client  ${own}\n`)
  if (options.client !== true) terminal.out(`node    ${node ?? 'none answers'}\n`)
}

async function nodeVersion(terminal: Terminal, options: VersionOptions): Promise<string | null> {
  try {
    return (await clientFor(terminal, options).version()).GitVersion
  } catch (error) {
    if (isFailure(error) && error.exitCode !== EXIT.usage) return null
    throw error
  }
}
