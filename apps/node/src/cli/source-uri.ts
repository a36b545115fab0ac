/** Data as a short form of the command line names it: where it is, what it is called there, and with which options. */
export interface SourceUri {
  readonly source: string
  readonly target: string | undefined
  readonly options: ReadonlyMap<string, string>
}

/** The type and the parameters of an input source or a publisher. */
export interface Named {
  readonly Type: string
  readonly Params: Readonly<Record<string, unknown>>
}

const S3_OPTIONS: ReadonlyMap<string, string> = new Map([
  ['region', 'Region'],
  ['endpoint', 'Endpoint'],
  ['filter', 'Filter'],
  ['versionid', 'VersionID'],
  ['checksum-256', 'ChecksumSHA256'],
])

/**
 * Reads `src=URI,dst=PATH,opt=KEY=VALUE`, where `src=` may be left out, or `URI:PATH`. Throws a `TypeError` for what
 * is none.
 */
export function readSourceUri(text: string): SourceUri {
  const options = new Map<string, string>()
  let source: string | undefined
  let target: string | undefined
  for (const part of text.split(',')) {
    const { key = '', value = '' } =
      /^(?<key>src|source|dst|destination|target|opt)=(?<value>.*)$/s.exec(part)?.groups ?? {}
    if (key === 'opt') {
      const at = value.indexOf('=')
      if (at < 1) throw new TypeError(`opt=${value} must be opt=KEY=VALUE`)
      options.set(value.slice(0, at).toLowerCase(), value.slice(at + 1))
    } else if (key === 'dst' || key === 'destination' || key === 'target') target = value
    else if (source === undefined) source = key === '' ? part : value
    else throw new TypeError(`${JSON.stringify(part)} is none of src=, dst= and opt=`)
  }
  if (source === undefined || source === '') throw new TypeError('it names no source')
  return target === undefined ? { ...splitTarget(source), options } : { source, target, options }
}

/** Cuts a path that stands behind the last colon off. */
export function splitTarget(text: string): { readonly source: string; readonly target: string | undefined } {
  const at = text.lastIndexOf(':/')
  if (at < 1 || text.startsWith('//', at + 1)) return { source: text, target: undefined }
  return { source: text.slice(0, at), target: text.slice(at + 1) }
}

/** Makes an input source of a URI. Throws a `TypeError` that says what can be given. */
export function inputOf({ source, options }: SourceUri): Named {
  const { scheme, rest } = partsOf(source)
  switch (scheme) {
    case 'http':
    case 'https':
      refuseOptions(options, [])
      return { Type: 'urlDownload', Params: { URL: source } }
    case 'file':
      refuseOptions(options, ['rw', 'readwrite'])
      return {
        Type: 'local',
        Params: { SourcePath: rest, ReadWrite: (options.get('rw') ?? options.get('readwrite')) === 'true' },
      }
    case 's3':
      return { Type: 's3', Params: s3Parameters(rest, options) }
    case 'ipfs':
      refuseOptions(options, [])
      return { Type: 'ipfs', Params: { CID: rest } }
    default:
      throw new TypeError(
        `${JSON.stringify(source)} must begin with http://, https://, file://, s3:// or ipfs://`,
      )
  }
}

/** Makes a publisher of its name or URI. Throws a `TypeError` that says what can be given. */
export function publisherOf({ source, options }: SourceUri): Named {
  if (/^(?:local|noop|ipfs)$/i.test(source)) {
    refuseOptions(options, [])
    return { Type: source.toLowerCase(), Params: {} }
  }
  const { scheme, rest } = partsOf(source)
  if (scheme === 's3') return { Type: 's3', Params: s3Parameters(rest, options) }
  throw new TypeError(`${JSON.stringify(source)} must be local, noop, ipfs, or s3://BUCKET/KEY`)
}

/** Tells whether a text is a URI. */
export function isUri(text: string): boolean {
  return /^[a-z][a-z\d+.-]*:\/\//i.test(text)
}

function partsOf(source: string): { readonly scheme: string; readonly rest: string } {
  const { scheme = '', rest = '' } =
    /^(?<scheme>[a-z][a-z\d+.-]*):\/\/(?<rest>.*)$/is.exec(source)?.groups ?? {}
  return { scheme: scheme.toLowerCase(), rest }
}

function s3Parameters(rest: string, options: ReadonlyMap<string, string>): Readonly<Record<string, string>> {
  refuseOptions(options, [...S3_OPTIONS.keys()])
  const at = rest.indexOf('/')
  const [bucket, key] = at === -1 ? [rest, ''] : [rest.slice(0, at), rest.slice(at + 1)]
  const given = [...options].map(([name, value]) => [S3_OPTIONS.get(name) ?? name, value] as const)
  return { Bucket: bucket, Key: key, ...Object.fromEntries(given) }
}

function refuseOptions(options: ReadonlyMap<string, string>, known: readonly string[]): void {
  for (const name of options.keys()) {
    if (!known.includes(name)) {
      throw new TypeError(
        `opt=${name} is not known here${known.length === 0 ? '' : `; there are ${known.join(', ')}`}`,
      )
    }
  }
}
