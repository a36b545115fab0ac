import { Writable } from 'node:stream'
import type { Config } from '@saltcod/config'
import type { Logger, LoggerOptions } from 'pino'
import { pino } from 'pino'

/** The logs that the parts of a node write to, by the log that they were made from: each has a level of its own. */
const CHILDREN = new WeakMap<Logger, Logger[]>()

/** Makes the log of a node; it goes to standard error. */
export function createLogger({ level, format }: Config['logging']): Logger {
  const children: Logger[] = []
  const options: LoggerOptions = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    // Those of a request come and go, and take the level of the log that they are made from.
    onChild(this: unknown, child) {
      if (this === log) children.push(child)
    },
  }
  // Written at once, so that the last words of a node that dies are there.
  const stderr = pino.destination({ fd: 2, sync: true })
  const lines = new Writable({
    write(chunk: Buffer, _encoding, done) {
      stderr.write(`${toText(chunk.toString())}\n`)
      done()
    },
  })
  const log: Logger = pino(options, format === 'json' ? stderr : lines)
  CHILDREN.set(log, children)
  return log
}

/** Changes the level of a log and of what was made from it. */
export function setLogLevel(log: Logger, level: Config['logging']['level']): void {
  for (const one of [log, ...(CHILDREN.get(log) ?? [])]) one.level = level
}

const LEVELS: Readonly<Record<number, string>> = {
  10: 'TRACE',
  20: 'DEBUG',
  30: 'INFO ',
  40: 'WARN ',
  50: 'ERROR',
  60: 'FATAL',
}

function toText(line: string): string {
  const { time, level, msg, ...rest } = JSON.parse(line) as Record<string, unknown>
  const fields = Object.entries(rest).map(([name, value]) => {
    return `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`
  })
  return [String(time), LEVELS[Number(level)] ?? String(level), String(msg), ...fields].join(' ')
}
