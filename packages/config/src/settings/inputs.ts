import { expandPaths } from '../paths.ts'
import { setting } from '../setting.ts'
import { list, path, size, text } from '../value.ts'

/** What tasks may bring in. */
export const inputs = {
  allowedPaths: setting({
    key: 'Inputs.AllowedPaths',
    description:
      'The directories and files of this machine that jobs may read as inputs, with all that lies in them.',
    form: 'list',
    fallback: [],
    schema: list(path()),
    locate: expandPaths,
  }),
  allowedHosts: setting({
    key: 'Inputs.AllowedHosts',
    description:
      'The hosts, as name or name:port, that jobs may fetch inputs from although their addresses are private or of this machine. Public addresses need no entry.',
    form: 'list',
    fallback: [],
    schema: list(
      text(
        'a host',
        "write a name or an address, and a port if only that one is meant: 'files.internal', '10.0.0.5:8080', '[::1]:80'",
        /^(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252})|\[[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:.]*\])(?::\d{1,5})?$/,
      ),
    ),
  }),
  maxBytes: setting({
    key: 'Inputs.MaxSize',
    description: 'The most bytes that the inputs of one task may hold together.',
    form: 'size',
    fallback: '1GiB',
    schema: size({ minBytes: 1 }),
  }),
}
