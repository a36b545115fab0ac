import { expandOptionalPath } from '../paths.ts'
import { setting } from '../setting.ts'
import { path } from '../value.ts'

/** Where results are kept. */
export const results = {
  /** The absolute path of the directory; absent means the default, which depends on the node id. */
  path: setting<string | undefined>({
    key: 'Results.Path',
    description: 'The directory that results of executions are kept in.',
    form: 'path',
    fallback: undefined,
    fallbackNote: '<repo>/<node-id>-compute/results',
    schema: path(),
    locate: expandOptionalPath,
  }),
}
