import { expandPath } from '../paths.ts'
import { setting } from '../setting.ts'
import { flag, integer, path, size, text } from '../value.ts'
import { tls } from './tls.ts'

/** Where the API listens, and what it reads. */
export const api = {
  host: setting({
    key: 'API.Host',
    description: 'The address that the API listens on, and that commands look for the node at.',
    form: 'text',
    flag: '--host',
    flagAliases: ['--api-host'],
    environment: 'BACALHAU_API_HOST',
    fallback: '127.0.0.1',
    schema: text(
      'a host',
      "write a name or an address alone, like '127.0.0.1', 'node.example' or '::1' (the port has its own setting)",
      /^(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252})|\[?[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:.]*(?:%[A-Za-z0-9_.-]+)?\]?)$/,
    ).transform((host) => host.replace(/^\[|\]$/g, '')),
  }),
  port: setting({
    key: 'API.Port',
    description:
      'The port that the API listens on, and that commands look for the node at; 0 lets the system choose.',
    form: 'integer',
    flag: '--port',
    flagAliases: ['--api-port'],
    environment: 'BACALHAU_API_PORT',
    fallback: 1234,
    schema: integer(0, 65_535),
  }),
  /** Where it listens beside the port; absent means nowhere. */
  socket: setting<string | undefined>({
    key: 'API.Socket',
    description:
      'The path of a Unix socket that the API listens on beside its port, for users and compute nodes of this machine who may open it: those of this user alone.',
    form: 'path',
    flag: '--socket',
    fallback: undefined,
    fallbackNote: 'none',
    schema: path(),
    locate: expandPath,
  }),
  publicUrl: setting<string | undefined>({
    key: 'API.PublicURL',
    description:
      'Where clients find the API, such as a proxy before it; addresses of results begin with it. Absent: where each client asked.',
    form: 'text',
    fallback: undefined,
    fallbackNote: 'where each client asked',
    schema: text(
      'a URL',
      "write it like 'https://jobs.example' or 'https://example/jobs'",
      /^https?:\/\/[A-Za-z0-9.:_[\]-]{1,255}(?:\/[A-Za-z0-9._~/-]{0,200})?$/,
    ).transform((url) => url.replace(/\/+$/, '')),
  }),
  /** Whether tokens are asked for where every listener is of this machine alone, too. */
  requireTokens: setting({
    key: 'API.RequireTokens',
    description:
      'Asks for a token also where the API listens on loopback addresses and sockets alone, as behind a proxy, from which everybody comes on loopback. Where it listens on any other address a token is asked for in any case, unless Node.Insecure gives that up.',
    form: 'boolean',
    flag: '--require-tokens',
    fallback: false,
    schema: flag(),
  }),
  /** The file with the token that commands prove themselves with; absent means the variables, or that of the node. */
  tokenFile: setting<string | undefined>({
    key: 'API.TokenFile',
    description:
      'The file with the token that commands show to a node that asks for one. Without it: the variables SALTCOD_TOKEN or BACALHAU_API_KEY, which hold a token itself; to a node of this machine, <repo>/operator-token.',
    form: 'path',
    flag: '--token',
    fallback: undefined,
    fallbackNote: 'none: SALTCOD_TOKEN, BACALHAU_API_KEY, or <repo>/operator-token',
    schema: path(),
    locate: expandPath,
  }),
  maxBodyBytes: setting({
    key: 'API.MaxBodySize',
    description: 'The largest request body that the API reads; a larger one is answered with 413.',
    form: 'size',
    fallback: '10MB',
    schema: size({ minBytes: 1024 }),
  }),
  tls,
}
