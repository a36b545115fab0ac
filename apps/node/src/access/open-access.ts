import { setTimeout as delay } from 'node:timers/promises'
import { Failure } from '@saltcod/cli-kit'
import type { Config } from '@saltcod/config'
import type { Logger } from 'pino'
import { EXIT } from '../exit-code.ts'
import { auditLog } from './audit.ts'
import { Gate } from './gate.ts'
import { ensureOperatorToken } from './operator-token.ts'
import { protectionOf } from './protection.ts'
import { Refusals } from './refusals.ts'
import { takeTokenLock } from './token-lock.ts'
import { Tokens } from './tokens.ts'

/** A command that makes a token has them for a moment. */
const LOCK_WAIT_MS = 5_000
const LOCK_LOOK_MS = 20

/** Who may do what on a node. */
export interface Access {
  /** `null` where nobody is asked who they are. */
  readonly gate: Gate | null
  readonly refusals: Refusals
  /** Lets others change the tokens again. */
  close(): void
}

/**
 * Opens the tokens of a node whose listeners ask for them. Throws a `Failure` where a listener would be unprotected,
 * the tokens cannot be read, or another process has them.
 */
export async function openAccess(config: Config, log: Logger): Promise<Access> {
  const refusals = new Refusals(log)
  const { asksForTokens, givenUp } = protectionOf(config)
  if (givenUp !== null) log.warn(givenUp)
  if (!asksForTokens) return { gate: null, refusals, close: () => undefined }
  const lock = await lockTokens(config.dataDir)
  try {
    const tokens = new Tokens({ repository: config.dataDir, clock: Date.now })
    for (const warning of ensureOperatorToken(config.dataDir, tokens)) log.warn(warning)
    const gate = new Gate({ tokens, refusals, audit: auditLog(log), clock: Date.now })
    return { gate, refusals, close: () => lock.release() }
  } catch (error) {
    lock.release()
    throw error
  }
}

async function lockTokens(repository: string): Promise<{ release(): void }> {
  const endMs = performance.now() + LOCK_WAIT_MS
  for (;;) {
    const lock = takeTokenLock(repository)
    if (lock !== null) return lock
    if (performance.now() > endMs) {
      throw new Failure(EXIT.usage, `another process has the tokens of ${repository}`, {
        hint: 'two nodes that ask for tokens cannot share a repository: give this one another with --repo',
      })
    }
    await delay(LOCK_LOOK_MS)
  }
}
