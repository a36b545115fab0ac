import {
  type Column,
  Failure,
  type Format,
  localTime,
  printList,
  printWhole,
  type Terminal,
} from '@saltcod/cli-kit'
import { type Config, tlsModeOf } from '@saltcod/config'
import type { Role } from '../../access/role.ts'
import { hideTokens, readToken, tokenText } from '../../access/token.ts'
import { type ListedToken, listedToken, type NewTokenAnswer } from '../../access/token-answer.ts'
import { takeTokenLock } from '../../access/token-lock.ts'
import { Tokens } from '../../access/tokens.ts'
import type { ApiClient } from '../../client/api-client.ts'
import { EXIT } from '../../exit-code.ts'
import { authorityFingerprint, openAuthority } from '../../tls/authority.ts'
import { refusalOfPlace } from '../../unusable-place.ts'
import { isOwnMachine, namedAuthorization } from '../authorization.ts'
import { clientFor, loadOrRefuse, type NodeFlags } from '../configuration.ts'

/** Options of `token create`. */
export interface TokenCreateOptions extends NodeFlags {
  readonly role: Role
  readonly note: string
  readonly expires?: number
  readonly output: Format
}

/** Makes a token and prints it. */
export async function tokenCreate(terminal: Terminal, options: TokenCreateOptions): Promise<void> {
  const { role, note, expires, output } = options
  const { config } = loadOrRefuse(terminal, options)
  const made = await withTokens<NewTokenAnswer>(terminal, options, {
    async alone(tokens) {
      const nowMs = Date.now()
      const expiresAtMs = expires === undefined ? null : nowMs + expires
      const fingerprint = role === 'node' ? await fingerprintFor(config, nowMs) : null
      const { kept, token } = tokens.create({ role, note, expiresAtMs })
      return { ...listedToken(kept, nowMs), Token: tokenText({ ...token, fingerprint }) }
    },
    asked: (client) => client.createToken({ Role: role, Note: note, ExpiresInMs: expires }),
  })
  if (output === 'table') terminal.out(`${made.Token}\n`)
  else printWhole(terminal, output, made)
}

/**
 * Returns what a joining node recognises the requester by. It is there before the first start, and a command need not
 * be told of TLS as its node was.
 */
async function fingerprintFor({ api, dataDir }: Config, nowMs: number): Promise<string | null> {
  const mode = tlsModeOf(api.tls)
  if (mode === 'auto') return (await openAuthority(dataDir, nowMs)).fingerprint
  return mode === 'off' ? authorityFingerprint(dataDir) : null
}

/** Options of `token list`. */
export interface TokenListOptions extends NodeFlags {
  readonly output: Format
  readonly hideHeader?: boolean
}

const COLUMNS: readonly Column<ListedToken>[] = [
  { name: 'ID', value: ({ ID }) => ID },
  { name: 'ROLE', value: ({ Role: role }) => role },
  { name: 'STATE', value: ({ State }) => State.toLowerCase() },
  { name: 'MADE', value: ({ Made }) => localTime(Date.parse(Made)) },
  { name: 'EXPIRES', value: ({ Expires }) => (Expires === null ? 'never' : localTime(Date.parse(Expires))) },
  { name: 'NOTE', value: ({ Note }) => Note },
]

/** Lists the tokens of a node. */
export async function tokenList(terminal: Terminal, options: TokenListOptions): Promise<void> {
  const tokens = await withTokens<readonly ListedToken[]>(terminal, options, {
    alone: async (kept) => kept.list().map((token) => listedToken(token, Date.now())),
    asked: async (client) => (await client.listTokens()).Items,
  })
  printList(terminal, options.output, tokens, COLUMNS, { hideHeader: options.hideHeader })
}

/** Options of `token revoke`. */
export interface TokenRevokeOptions extends NodeFlags {
  readonly output: Format
}

/** Ends a token, which is named by its id; of a whole token only that is used, and sent anywhere. */
export async function tokenRevoke(
  terminal: Terminal,
  named: string,
  options: TokenRevokeOptions,
): Promise<void> {
  const id = readToken(named)?.id ?? hideTokens(named)
  const revoked = await withTokens<ListedToken>(terminal, options, {
    async alone(tokens) {
      const ended = tokens.revoke(id)
      if (ended !== null) return listedToken(ended, Date.now())
      throw new Failure(EXIT.failed, `token not found: ${id}`, {
        hint: 'list the tokens to see what is there: saltcod token list',
      })
    },
    asked: (client) => client.revokeToken(id),
  })
  if (options.output === 'table') terminal.out('Ok\n')
  else printWhole(terminal, options.output, revoked)
}

/** How something is done with tokens, by whoever has them. */
interface Ways<T> {
  /** Where no node has them. */
  readonly alone: (tokens: Tokens) => Promise<T>
  /** Where a node has them. */
  readonly asked: (client: ApiClient) => Promise<T>
}

/**
 * Works on the files of a repository of this machine while no node has them. Asks a node else, and where somebody said
 * what to prove oneself to it with.
 */
async function withTokens<T>(terminal: Terminal, flags: NodeFlags, { alone, asked }: Ways<T>): Promise<T> {
  const { config } = loadOrRefuse(terminal, flags)
  const isFar = !isOwnMachine(config.api.host) || namedAuthorization(terminal, config) !== undefined
  const lock = isFar ? null : lockOf(config)
  if (lock === null) return await asked(clientFor(terminal, flags))
  try {
    const done = await alone(new Tokens({ repository: config.dataDir, clock: Date.now }))
    terminal.err(`Note: no node that asks for tokens serves ${config.dataDir} now; its files were used\n`)
    return done
  } finally {
    lock.release()
  }
}

function lockOf({ dataDir }: Config): { release(): void } | null {
  try {
    return takeTokenLock(dataDir)
  } catch (error) {
    throw refusalOfPlace(error)
  }
}
