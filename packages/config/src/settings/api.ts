import { z } from 'zod'
import { complaint, showGiven } from '../problem.ts'
import type { Setting } from '../setting.ts'
import { choice, integer, size } from '../value.ts'

const notAHost = ({ input }: { readonly input?: unknown }): string =>
  complaint(
    `${showGiven(input)} is not a host`,
    "write a name or an address alone, like '127.0.0.1', 'node.example' or '::1' (the port has its own setting)",
  )

/** The host of the API. */
export const apiHost: Setting<string> = {
  key: 'API.Host',
  description: 'The address that the API listens on, and that commands look for the node at.',
  form: 'text',
  flag: '--host',
  environment: 'BACALHAU_API_HOST',
  fallback: '127.0.0.1',
  schema: z
    .string({ error: notAHost })
    .regex(
      /^(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252})|\[?[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:.]*(?:%[A-Za-z0-9_.-]+)?\]?)$/,
      {
        error: notAHost,
      },
    )
    .transform((host) => host.replace(/^\[|\]$/g, '')),
}

/** The port of the API. */
export const apiPort: Setting<number> = {
  key: 'API.Port',
  description:
    'The port that the API listens on, and that commands look for the node at; 0 lets the system choose.',
  form: 'integer',
  flag: '--port',
  environment: 'BACALHAU_API_PORT',
  fallback: 1234,
  schema: integer(0, 65_535),
}

/** The limit on a request body. */
export const apiMaxBodySize: Setting<number> = {
  key: 'API.MaxBodySize',
  description: 'The largest request body that the API reads; a larger one is answered with 413.',
  form: 'size',
  fallback: '10MB',
  schema: size({ minBytes: 1024 }),
}

/** The words for how much is logged. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const

/** How much is logged: a level and everything graver. */
export type LogLevel = (typeof LOG_LEVELS)[number]

/** The words for how a log line looks. */
export const LOG_FORMATS = ['text', 'json'] as const

/** How a log line looks. */
export type LogFormat = (typeof LOG_FORMATS)[number]

/** How much is logged. */
export const loggingLevel: Setting<LogLevel> = {
  key: 'Logging.Level',
  description: 'How much is logged to stderr: a level and everything graver.',
  form: 'choice',
  flag: '--log-level',
  environment: 'LOG_LEVEL',
  fallback: 'info',
  schema: choice(LOG_LEVELS),
}

/** How log lines look. */
export const loggingFormat: Setting<LogFormat> = {
  key: 'Logging.Format',
  description: 'How log lines look: json (one object a line) or text (for people).',
  form: 'choice',
  fallback: 'json',
  schema: choice(LOG_FORMATS),
}
