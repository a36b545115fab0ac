import type { InputKind } from '../input-kind.ts'
import { INLINE, type InlineParameters } from './parameters.ts'

/** What stands in the job itself, as a `data:` URL. */
export const inline: InputKind<InlineParameters> = {
  ...INLINE,
  isConstant: true,
  async load() {
    const { fetchInline, holdsInline } = await import('./fetch-inline.ts')
    return { fetch: fetchInline, holds: holdsInline }
  },
}
