import { expandOptionalPath } from '../paths.ts'
import type { Setting } from '../setting.ts'
import { path } from '../value.ts'

/** Where jobs go before they are removed. */
export const archiveDirectory: Setting<string | undefined> = {
  key: 'Node.Requester.Archive.Directory',
  description:
    'The directory of the archive that ended jobs are written to before retention removes them. Left out: they are removed without.',
  form: 'path',
  fallback: undefined,
  schema: path(),
  locate: expandOptionalPath,
}
