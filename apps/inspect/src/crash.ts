/** A worker that a store ended. */
export interface Crash {
  readonly signal: string
  /** The store that was open; empty where none was. */
  readonly path: string
}

const SIGNAL_VARIABLE = 'SALTCOD_INSPECT_CRASH_SIGNAL'
const PATH_VARIABLE = 'SALTCOD_INSPECT_CRASH_PATH'

/** What a worker tells the process that started it, before it opens a store. */
export interface OpeningMessage {
  readonly opening: string
}

/** Tells whether a message is an {@link OpeningMessage}. */
export function isOpeningMessage(message: unknown): message is OpeningMessage {
  return typeof message === 'object' && message !== null && 'opening' in message
}

/** Tells the process that started this one which store is about to be opened. */
export function announceOpening(path: string): void {
  const message: OpeningMessage = { opening: path }
  process.send?.(message)
}

/** Writes a crash as variables for the worker that comes next. */
export function crashEnvironment({ signal, path }: Crash): Record<string, string> {
  return { [SIGNAL_VARIABLE]: signal, [PATH_VARIABLE]: path }
}

/** Reads the crash that a worker before this one had; `undefined` where there was none. */
export function crashBefore(env: Readonly<Record<string, string | undefined>>): Crash | undefined {
  const signal = env[SIGNAL_VARIABLE]
  return signal === undefined ? undefined : { signal, path: env[PATH_VARIABLE] ?? '' }
}
