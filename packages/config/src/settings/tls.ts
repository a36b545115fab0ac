import { expandOptionalPath } from '../paths.ts'
import { setting } from '../setting.ts'
import { choice, duration, flag, list, path, text } from '../value.ts'

const TLS_MODES = ['off', 'auto', 'file'] as const

/** How what listens on TCP proves who it is. */
export type TlsMode = (typeof TLS_MODES)[number]

/** How the API and the link are encrypted, and whom commands trust. */
export const tls = {
  /** What was said; {@link tlsModeOf} tells what holds. */
  mode: setting<TlsMode | undefined>({
    key: 'API.TLS.Mode',
    description:
      'Whether all that listens on a port speaks TLS alone: off, auto (with an authority of the repository that is made at the first start, and certificates of it that are renewed by themselves), or file (with API.TLS.CertFile and API.TLS.KeyFile).',
    form: 'choice',
    flag: '--tls',
    fallback: undefined,
    fallbackNote: 'file where API.TLS.CertFile is given, else off',
    schema: choice(TLS_MODES),
  }),
  certFile: setting<string | undefined>({
    key: 'API.TLS.CertFile',
    description:
      'A file with the certificate that is served and those between it and its authority, as PEM; read again when it changes.',
    form: 'path',
    flag: '--tls-cert',
    environment: 'BACALHAU_API_TLS_CERTFILE',
    fallback: undefined,
    fallbackNote: 'none',
    schema: path(),
    locate: expandOptionalPath,
  }),
  keyFile: setting<string | undefined>({
    key: 'API.TLS.KeyFile',
    description: 'A file with the private key of that certificate, as PEM; read again when it changes.',
    form: 'path',
    flag: '--tls-key',
    environment: 'BACALHAU_API_TLS_KEYFILE',
    fallback: undefined,
    fallbackNote: 'none',
    schema: path(),
    locate: expandOptionalPath,
  }),
  names: setting({
    key: 'API.TLS.Names',
    description:
      'Further names and addresses that clients find this node by, such as one of the DNS; with --tls auto they stand in its certificates, beside the addresses and the name of the machine.',
    form: 'list',
    flag: '--tls-name',
    fallback: [],
    schema: list(
      text(
        'a name',
        "write a name or an address alone, like 'node.example' or '192.0.2.7'",
        /^(?:(?:\*\.)?[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252})|[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:.]*)$/,
      ),
    ),
  }),
  certificateLifeMs: setting({
    key: 'API.TLS.CertificateLife',
    description:
      'For how long a certificate of --tls auto is good; the next one takes its place when two thirds of that are over.',
    form: 'duration',
    fallback: '90d',
    schema: duration({ minMs: 2_000, maxMs: 397 * 86_400_000 }),
  }),
  caFile: setting<string | undefined>({
    key: 'API.TLS.CAFile',
    description:
      'A file with the authorities, as PEM, that commands and compute nodes trust when they speak https, and no others: what `saltcod tls authority` of the node printed.',
    form: 'path',
    flag: '--cacert',
    environment: 'BACALHAU_API_TLS_CAFILE',
    fallback: undefined,
    fallbackNote: 'what proves the node of this repository, else the authorities of the system',
    schema: path(),
    locate: expandOptionalPath,
  }),
  use: setting<boolean | undefined>({
    key: 'API.TLS.UseTLS',
    description: 'Commands speak https to the node.',
    form: 'boolean',
    flag: '--use-tls',
    environment: 'BACALHAU_API_TLS_USETLS',
    fallback: undefined,
    fallbackNote: 'true where API.TLS.CAFile is given, or the node of this repository speaks TLS',
    schema: flag(),
  }),
}

/** Tells whether a node serves TLS, and with what. */
export function tlsModeOf(given: {
  readonly mode: TlsMode | undefined
  readonly certFile: string | undefined
}): TlsMode {
  return given.mode ?? (given.certFile === undefined ? 'off' : 'file')
}
