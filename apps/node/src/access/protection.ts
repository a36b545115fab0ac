import { Failure } from '@saltcod/cli-kit'
import { type Config, tlsModeOf } from '@saltcod/config'
import { EXIT } from '../exit-code.ts'

/** What the listeners of a node ask of whoever comes. */
export interface Protection {
  /** Everybody has to show a token. */
  readonly asksForTokens: boolean
  /** What the operator gives up, for the log; `null` where that is nothing. */
  readonly givenUp: string | null
}

/** Tells whether a host is this machine alone. */
export function isLoopbackHost(host: string): boolean {
  return /^(?:127(?:\.\d{1,3}){3}|::1|localhost)$/i.test(host)
}

/**
 * Decides what a node asks of whoever comes. One machine asks nothing. Where any listener is reached from elsewhere,
 * all of them ask for a token, local ones too: behind a proxy everybody comes from this machine. Throws a `Failure`
 * where such a listener has no TLS and nobody has said that this is meant.
 */
export function protectionOf(config: Pick<Config, 'api' | 'insecure'>): Protection {
  const { host, port, requireTokens } = config.api
  if (isLoopbackHost(host)) return { asksForTokens: requireTokens, givenUp: null }
  if (config.insecure) {
    const anybody = requireTokens
      ? 'whoever can listen on the way learns tokens, and with them commands the node'
      : 'whoever reaches it can run jobs, read results and secrets of jobs, and speak as any compute node'
    return {
      asksForTokens: requireTokens,
      givenUp: `--insecure: nothing that is said on ${host}:${port} is encrypted or proven; ${anybody}`,
    }
  }
  if (tlsModeOf(config.api.tls) !== 'off') return { asksForTokens: true, givenUp: null }
  throw new Failure(
    EXIT.usage,
    `${host} is reached from other machines, and nothing would protect it there`,
    {
      hint: 'protect it with --tls auto, which makes the certificates too; or with certificates of your own (--tls-cert FILE --tls-key FILE); or give up all protection with --insecure. A node for this machine alone listens on 127.0.0.1',
    },
  )
}
