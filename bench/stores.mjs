import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { openLmdbExecutionStore, openLmdbJobStore } from '@saltcod/store-lmdb'
import { startPeer } from './peer.mjs'

/** Opens our job store in the directory of a row, on the backend that is measured. */
export async function openOurJobs(bench, name = 'jobs') {
  const backend = await backendOf(bench, name)
  return (
    backend?.module.openJobStore(backend.directory) ??
    openLmdbJobStore({ path: join(bench.directory, `${name}.lmdb`) })
  )
}

/** Opens our execution store in the directory of a row, on the backend that is measured. */
export async function openOurExecutions(bench, name = 'executions') {
  const backend = await backendOf(bench, name)
  return (
    backend?.module.openExecutionStore(backend.directory) ??
    openLmdbExecutionStore({ path: join(bench.directory, `${name}.lmdb`) })
  )
}

/**
 * Another backend than LMDB: a module with the functions that the crash suite asks for, and a directory for its files.
 */
async function backendOf(bench, name) {
  if (bench.backend === undefined) return undefined
  const directory = join(bench.directory, name)
  mkdirSync(directory, { recursive: true })
  return { module: await import(pathToFileURL(resolve(bench.backend)).href), directory }
}

/** Starts a peer program with a job store in the directory of a row. */
export async function openPeerJobs(bench, name = 'jobs') {
  const peer = await startPeer(bench.program)
  await peer.request('open-jobs', { path: join(bench.directory, `${name}.bolt`) })
  return peer
}

/** Starts a peer program with an execution store in the directory of a row. */
export async function openPeerExecutions(bench, name = 'executions') {
  const peer = await startPeer(bench.program)
  const opened = await peer.request('open-executions', { path: join(bench.directory, `${name}.bolt`) })
  return { ...peer, openSeconds: opened.seconds }
}

/** The peer's side of a row that repeats one request and counts how often it is answered in a second. */
export function peerThroughput(peer, op, callers, bench) {
  const measure = async (seconds) => (await peer.request(op, { callers, seconds })).perSecond
  return { warm: () => measure(0.3), measure: () => measure(bench.seconds), close: () => peer.stop() }
}
