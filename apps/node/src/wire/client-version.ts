/** What a client can read, told by the version that it names. */
export interface ClientVersion {
  /** Execution states by the numbers of v1.5.2 and later. */
  readonly newStateNumbers: boolean
  /** The network types of v1.7.0 and later. */
  readonly newNetworkTypes: boolean
}

/** The header by which a client names its version. */
export const VERSION_HEADER = 'x-bacalhau-git-version'

/** The oldest client that is served. */
export const OLDEST_CLIENT = '1.4.0'

/** How a version was understood: a client's abilities, or why it is refused. */
export type VersionVerdict = { readonly client: ClientVersion } | { readonly refused: 'invalid' | 'outdated' }

const LATEST: ClientVersion = { newStateNumbers: true, newNetworkTypes: true }
const DEVELOPMENT = /^v?0\.0\.0(-[0-9a-f]+)?$/
const VERSION = /^v?(\d{1,6})\.(\d{1,6})\.(\d{1,6})(?:[-+].*)?$/

/** Reads the version header. No header and development builds count as the latest. */
export function readClientVersion(header: string | undefined): VersionVerdict {
  const text = header?.trim() ?? ''
  if (text === '' || DEVELOPMENT.test(text)) return { client: LATEST }
  const match = VERSION.exec(text)
  if (match === null) return { refused: 'invalid' }
  const atLeast = (...wanted: readonly [number, number, number]): boolean => {
    for (const [place, least] of wanted.entries()) {
      const given = Number(match[place + 1])
      if (given !== least) return given > least
    }
    return true
  }
  if (!atLeast(1, 4, 0)) return { refused: 'outdated' }
  return { client: { newStateNumbers: atLeast(1, 5, 2), newNetworkTypes: atLeast(1, 7, 0) } }
}
