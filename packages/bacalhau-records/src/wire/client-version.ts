/** What a client can read, told by the version that it names. */
export interface ClientVersion {
  /** Execution states by the numbers of v1.5.2 and later. */
  readonly newStateNumbers: boolean
  /** The network types of v1.7.0 and later. */
  readonly newNetworkTypes: boolean
  /** A name belongs to one job, as since v1.8.0: whoever submits it again makes a new version of that job. */
  readonly uniqueNames: boolean
  /** The job in each of its executions, as the last releases have it. */
  readonly jobsInExecutions: boolean
  /** Errors as objects of v1.5.0 and later. */
  readonly errorObjects: boolean
}

/** The header by which a client names its version. */
export const VERSION_HEADER = 'x-bacalhau-git-version'

/** The oldest client that is served. */
export const OLDEST_CLIENT = '1.4.0'

/** How a version was understood: a client's abilities, or why it is refused. */
export type VersionVerdict = { readonly client: ClientVersion } | { readonly refused: 'invalid' | 'outdated' }

/** What the newest clients can read. */
export const NEWEST_CLIENT: ClientVersion = {
  newStateNumbers: true,
  newNetworkTypes: true,
  uniqueNames: true,
  jobsInExecutions: true,
  errorObjects: true,
}

/** The version that this program's own commands name: the newest API that they speak. */
export const OWN_CLIENT_VERSION = 'v1.9.3'
const DEVELOPMENT = /^v?0\.0\.0(-[0-9a-f]+)?$/
const VERSION = /^v?(\d{1,6})\.(\d{1,6})\.(\d{1,6})(?:[-+].*)?$/

/**
 * Reads the version header. No header and development builds count as the latest; but a client without one, such as
 * the Python SDK, knows nothing of names that belong to one job.
 */
export function readClientVersion(header: string | undefined): VersionVerdict {
  const text = header?.trim() ?? ''
  if (text === '') return { client: { ...NEWEST_CLIENT, uniqueNames: false } }
  if (DEVELOPMENT.test(text)) return { client: NEWEST_CLIENT }
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
  return {
    client: {
      newStateNumbers: atLeast(1, 5, 2),
      newNetworkTypes: atLeast(1, 7, 0),
      uniqueNames: atLeast(1, 8, 0),
      jobsInExecutions: atLeast(1, 8, 0),
      errorObjects: atLeast(1, 5, 0),
    },
  }
}
