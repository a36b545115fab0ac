import { join } from 'node:path'
import { openLmdbExecutionStore, openLmdbJobStore } from '@saltcod/store-lmdb'
import { startPeer } from './peer.mjs'

/** Opens our job store in the directory of a row. */
export function openOurJobs(bench, name = 'jobs') {
  return openLmdbJobStore({ path: join(bench.directory, `${name}.lmdb`) })
}

/** Opens our execution store in the directory of a row. */
export function openOurExecutions(bench, name = 'executions') {
  return openLmdbExecutionStore({ path: join(bench.directory, `${name}.lmdb`) })
}

/** Starts a peer program with a job store in the directory of a row. */
export async function openPeerJobs(bench, name = 'jobs') {
  const peer = await startPeer(bench.binary)
  await peer.request('open-jobs', { path: join(bench.directory, `${name}.bolt`) })
  return peer
}

/** Starts a peer program with an execution store in the directory of a row. */
export async function openPeerExecutions(bench, name = 'executions') {
  const peer = await startPeer(bench.binary)
  const opened = await peer.request('open-executions', { path: join(bench.directory, `${name}.bolt`) })
  return { ...peer, openSeconds: opened.seconds }
}

/** The peer's side of a row that repeats one request and counts how often it is answered in a second. */
export function peerThroughput(peer, op, callers, bench) {
  const measure = async (seconds) => (await peer.request(op, { callers, seconds })).perSecond
  return { warm: () => measure(0.3), measure: () => measure(bench.seconds), close: () => peer.stop() }
}
