import { Writable } from 'node:stream'
import type { Config } from '@saltcod/config'
import type { Logger } from 'pino'
import { pino } from 'pino'

/** Makes the log of a node; it goes to standard error. */
export function createLogger({ level, format }: Config['logging']): Logger {
  const options = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime }
  // Written at once, so that the last words of a node that dies are there.
  const stderr = pino.destination({ fd: 2, sync: true })
  if (format === 'json') return pino(options, stderr)
  const lines = new Writable({
    write(chunk: Buffer, _encoding, done) {
      stderr.write(`${toText(chunk.toString())}\n`)
      done()
    },
  })
  return pino(options, lines)
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
