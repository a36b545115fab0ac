import { FILES_PER_RUN } from '../../open-file-limit.ts'

/** How much of the process one peer may take: an address, or a network of IPv6. */
export interface PeerLimits {
  readonly connections: number
  readonly requests: number
  readonly bodyBytes: number
  readonly answerBytes: number
  readonly logStreams: number
}

/** How much of the process its clients may take. */
export interface ConnectionLimits {
  /** Connections that are served. */
  readonly connections: number
  /** Further ones while all of those are busy; on these only the health of the node is told. */
  readonly spare: number
  /** Logs that are read at a time. */
  readonly logStreams: number
  /** Requests in progress, over all connections. */
  readonly requests: number
  /** Request bodies that are being received, together. */
  readonly bodyBytes: number
  /** Answers that were not taken yet, together. */
  readonly answerBytes: number
  /** Of these, for one peer of another machine. */
  readonly perPeer: PeerLimits
}

/** What stores, timers, logs and the process itself have open, also while a store is rewritten. */
const BASE_FILES = 128
/** A log stream has its connection and reads one file at a time. */
const FILES_PER_LOG_STREAM = 2
const MOST_CONNECTIONS = 4_096
const FEWEST_CONNECTIONS = 16
const MOST_SPARE = 16
const MOST_LOG_STREAMS = 256

/** Works out what clients may take of a process, so that its stores and runs can always open what they need. */
export function connectionLimits(openFiles: number | null, maxRunning: number): ConnectionLimits {
  const forClients = (openFiles ?? Number.MAX_SAFE_INTEGER) - BASE_FILES - FILES_PER_RUN * maxRunning
  // Of four connections one may read a log.
  const share = Math.floor((forClients * 4) / (3 + FILES_PER_LOG_STREAM))
  const all = Math.min(Math.max(share, FEWEST_CONNECTIONS), MOST_CONNECTIONS + MOST_SPARE)
  const spare = Math.min(MOST_SPARE, Math.ceil(all / 8))
  const connections = all - spare
  const together = {
    connections,
    logStreams: Math.min(MOST_LOG_STREAMS, Math.floor(connections / 4)),
    requests: 1_000,
    bodyBytes: 128 * 1024 * 1024,
    answerBytes: 64 * 1024 * 1024,
  }
  return { ...together, spare, perPeer: shareOf(together) }
}

/** A quarter, so that one that floods the node leaves room for others, and a house behind one address has enough. */
function shareOf(together: PeerLimits): PeerLimits {
  const quarter = (limit: number): number => Math.ceil(limit / 4)
  return {
    connections: quarter(together.connections),
    requests: quarter(together.requests),
    bodyBytes: quarter(together.bodyBytes),
    answerBytes: quarter(together.answerBytes),
    logStreams: quarter(together.logStreams),
  }
}

/** Tells whether so few files may be open that clients, stores and runs can get in each other's way. */
export function isTooFewFiles(openFiles: number | null, maxRunning: number): boolean {
  return openFiles !== null && openFiles < BASE_FILES + FILES_PER_RUN * maxRunning + FEWEST_CONNECTIONS * 2
}
