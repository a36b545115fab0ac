import { expandOptionalPath } from '../paths.ts'
import { setting } from '../setting.ts'
import { path } from '../value.ts'

/** Where jobs go before they are removed. */
export const archive = {
  /** The absolute path of the directory; absent means that nothing is archived. */
  directory: setting<string | undefined>({
    key: 'Node.Requester.Archive.Directory',
    description:
      'The directory of the archive that ended jobs are written to before retention removes them. Left out: they are removed without.',
    form: 'path',
    fallback: undefined,
    schema: path(),
    locate: expandOptionalPath,
  }),
}
