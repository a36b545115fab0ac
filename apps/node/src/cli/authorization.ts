import { networkInterfaces } from 'node:os'
import { Failure, isFailure, type Terminal } from '@saltcod/cli-kit'
import type { Config } from '@saltcod/config'
import { operatorTokenPath, readOperatorToken } from '../access/operator-token.ts'
import { isLoopbackHost } from '../access/protection.ts'
import { readSecretFile } from '../access/secret-file.ts'
import { EXIT } from '../exit-code.ts'

const MOST_TOKEN_BYTES = 8_000
const ANY_ADDRESS: ReadonlySet<string> = new Set(['0.0.0.0', '::'])

/**
 * Returns what a command proves itself with, as the header has it: the token of a file that was named, of a variable,
 * or, to a node of this machine, the one that its repository keeps. `undefined` where there is none. Throws a
 * `Failure` where a file that was named holds none.
 */
export function authorizationFor(
  terminal: Pick<Terminal, 'env'>,
  { api, dataDir }: Pick<Config, 'api' | 'dataDir'>,
): string | undefined {
  const named = namedAuthorization(terminal, { api })
  if (named !== undefined) return named
  const own = isOwnMachine(api.host) ? readOperatorToken(dataDir) : null
  return own === null ? undefined : bearer(own)
}

/** Returns what somebody told a command to prove itself with. Throws as `authorizationFor`. */
export function namedAuthorization(
  { env }: Pick<Terminal, 'env'>,
  { api }: Pick<Config, 'api'>,
): string | undefined {
  if (api.tokenFile !== undefined) return bearer(tokenIn(api.tokenFile))
  for (const name of ['SALTCOD_TOKEN', 'BACALHAU_API_KEY']) {
    const text = env[name]?.trim() ?? ''
    if (text !== '') return bearer(checked(text, `the variable ${name}`))
  }
  const { BACALHAU_API_USERNAME: user, BACALHAU_API_PASSWORD: password } = env
  if (!user || !password) return undefined
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
}

/**
 * Asks a person for a token, as the header has it; `undefined` where nobody is there, or gives one. Throws a `Failure`
 * where what is given is none.
 */
export async function typedAuthorization(
  terminal: Pick<Terminal, 'secret'>,
  { api: { host, port } }: Pick<Config, 'api'>,
): Promise<string | undefined> {
  const text = (await terminal.secret(`Token for ${host}:${port}: `))?.trim() ?? ''
  return text === '' ? undefined : bearer(checked(text, 'what was typed'))
}

/**
 * Throws a refusal with more to help, where a command found no token of its own for a node of this machine: it looked
 * into another repository than that of the node, or the token was lost.
 */
export function mustHaveOwnToken({ api, dataDir }: Pick<Config, 'api' | 'dataDir'>, refusal: unknown): void {
  if (!isFailure(refusal) || !isOwnMachine(api.host)) return
  const { exitCode, hint = '', message, cause } = refusal
  throw new Failure(exitCode, message, {
    hint: `${hint}; none was found in ${operatorTokenPath(dataDir)}: name the repository of the node with --repo, or where that file was lost start the node again, which makes another`,
    cause,
  })
}

/** Tells whether a host is this machine, whose repository knows the token of its node. */
export function isOwnMachine(host: string): boolean {
  if (isLoopbackHost(host) || ANY_ADDRESS.has(host)) return true
  return Object.values(networkInterfaces()).some((addresses = []) =>
    addresses.some(({ address }) => address === host),
  )
}

/** Reads the token that a file holds. Throws a `Failure` where there is none. */
function tokenIn(path: string): string {
  const hint = 'name a file that this user may read and that holds a token and nothing else'
  const text = readSecretFile({ path, what: 'the token', hint, encoding: 'utf8' })
  return checked(text.slice(0, MOST_TOKEN_BYTES), path)
}

/** What cannot stand in a header would be repeated by whoever refuses it. */
function checked(text: string, where: string): string {
  if (/^[!-~]+$/.test(text)) return text
  throw new Failure(EXIT.usage, `${where} holds no token`, {
    hint: 'it has to hold one line, as saltcod token create prints it',
  })
}

function bearer(token: string): string {
  return `Bearer ${token}`
}
