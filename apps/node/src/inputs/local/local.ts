import type { InputKind } from '../input-kind.ts'
import { LOCAL, type LocalParameters } from './parameters.ts'

/** A file or directory of the machine, where its operator allows that. */
export const local: InputKind<LocalParameters> = {
  ...LOCAL,
  aliases: ['localDirectory'],
  isConstant: false,
  async load() {
    const { fetchLocal, localDenial } = await import('./fetch-local.ts')
    return { fetch: fetchLocal, denial: localDenial }
  },
}
