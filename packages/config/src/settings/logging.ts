import { setting } from '../setting.ts'
import { choice } from '../value.ts'

/** The words for how much is logged. */
const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const

/** How much is logged: a level and everything graver. */
export type LogLevel = (typeof LOG_LEVELS)[number]

/** The words for how a log line looks. */
const LOG_FORMATS = ['text', 'json'] as const

/** How a log line looks. */
export type LogFormat = (typeof LOG_FORMATS)[number]

/** What is logged, and how it looks. */
export const logging = {
  level: setting({
    key: 'Logging.Level',
    description: 'How much is logged to stderr: a level and everything graver.',
    form: 'choice',
    flag: '--log-level',
    environment: 'LOG_LEVEL',
    fallback: 'info',
    schema: choice(LOG_LEVELS),
  }),
  format: setting({
    key: 'Logging.Format',
    description: 'How log lines look: json (one object a line) or text (for people).',
    form: 'choice',
    fallback: 'json',
    schema: choice(LOG_FORMATS),
  }),
}
