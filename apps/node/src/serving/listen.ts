import { once } from 'node:events'
import { lstatSync, rmSync } from 'node:fs'
import { type AddressInfo, connect } from 'node:net'
import { Failure, isFailure } from '@saltcod/cli-kit'
import { type Config, tlsModeOf } from '@saltcod/config'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import type { Access } from '../access/open-access.ts'
import { addTokenRoutes } from '../access/token-routes.ts'
import { EXIT } from '../exit-code.ts'
import { openFileLimit } from '../open-file-limit.ts'
import { type ConnectionLimits, connectionLimits, isTooFewFiles } from '../requester/api/connection-limits.ts'
import { Connections } from '../requester/api/connections.ts'
import type { Listeners } from '../requester/api/listeners.ts'
import { maxRunningOf } from '../settings-of-config.ts'
import { systemCode } from '../system-code.ts'
import { authorityFingerprint } from '../tls/authority.ts'
import type { NodeOptions } from './options.ts'

/** Leaves the stores and the runs of this node what they need of the files that it may have open. */
function limitsOf(config: Config, log: Logger): ConnectionLimits {
  const openFiles = openFileLimit()
  const maxRunning = config.roles.includes('compute') ? maxRunningOf(config) : 0
  if (isTooFewFiles(openFiles, maxRunning)) {
    log.warn(
      { openFiles, maxRunning },
      "so few files may be open that jobs and clients can get in each other's way: raise the limit (ulimit -n, LimitNOFILE), or lower Node.Compute.MaxRunning",
    )
  }
  return connectionLimits(openFiles, maxRunning)
}

/** Looks after the connections of a node, and tells of peers that want too much. */
export function connectionsOf({ config, log }: NodeOptions, { refusals }: Access): Connections {
  return new Connections(limitsOf(config, log), config.api.maxBodyBytes, {
    onExcess: (peer, what) => refusals.note(peer, 'limit', what),
  })
}

/** Adds what an operator does with tokens, where they are asked for. */
export function addTokens(api: FastifyInstance, { gate }: Access, { dataDir, api: { tls } }: Config): void {
  if (gate === null) return
  addTokenRoutes(api, {
    gate,
    repository: dataDir,
    clock: Date.now,
    fingerprint: () => (tlsModeOf(tls) === 'auto' ? authorityFingerprint(dataDir) : null),
  })
}

const OWN_ADDRESS = 'give an address of this machine with --host, such as 127.0.0.1 (0.0.0.0: all of them)'
const NO_HOST = { reason: 'that host cannot be found', hint: OWN_ADDRESS }
const LISTEN_ERRORS: Readonly<Record<string, { readonly reason: string; readonly hint: string }>> = {
  EADDRINUSE: {
    reason: 'another program listens there',
    hint: 'stop the other program, or choose another port with --port (0: any)',
  },
  EADDRNOTAVAIL: { reason: 'this machine has no such address', hint: OWN_ADDRESS },
  ENOTFOUND: NO_HOST,
  EAI_AGAIN: NO_HOST,
  EACCES: {
    reason: 'this user may not listen there',
    hint: 'choose a port from 1024 on with --port (0: any)',
  },
}

/** Begins to listen where the configuration says, and returns the URL. Throws a `Failure` where it cannot. */
export async function listen(
  api: FastifyInstance,
  listeners: Listeners,
  { host, port, socket }: Config['api'],
): Promise<string> {
  try {
    await api.listen({
      host,
      port,
      // Its server is one of ours, of which it does not know that it speaks TLS.
      listenTextResolver: (address) => `listening at ${address.replace(/^http:/, `${listeners.scheme}:`)}`,
    })
    if (host === 'localhost') await listeners.listenAlso(host)
    if (socket !== undefined) await listenOnSocket(listeners, socket)
  } catch (error) {
    if (isFailure(error)) throw error
    const code = systemCode(error) ?? String(error)
    const { reason, hint } = LISTEN_ERRORS[code] ?? { reason: code, hint: 'see --host and --port' }
    throw new Failure(EXIT.failed, `cannot listen on ${host}:${port}: ${reason}`, { hint, cause: error })
  }
  const address = api.server.address() as AddressInfo
  return `${listeners.scheme}://${host.includes(':') ? `[${host}]` : host}:${address.port}`
}

/** Most systems take no longer one. */
const MOST_SOCKET_BYTES = 107

async function listenOnSocket(listeners: Listeners, path: string): Promise<void> {
  const refuse = (reason: string, hint: string, cause?: unknown): never => {
    throw new Failure(EXIT.failed, `cannot listen on the socket ${path}: ${reason}`, { hint, cause })
  }
  if (Buffer.byteLength(path) > MOST_SOCKET_BYTES)
    refuse(`its path is longer than ${MOST_SOCKET_BYTES} bytes`, 'give it a shorter one with --socket')
  if (await isListenedOn(path)) refuse('another program listens there', 'give it another path with --socket')
  try {
    await listeners.listenOnSocket(path)
  } catch (error) {
    const code = systemCode(error) ?? String(error)
    const reason = code === 'EADDRINUSE' ? 'a file that is no socket is there' : code
    refuse(reason, 'give it a path with --socket where this user may write', error)
  }
}

/** Tells whether somebody listens on a socket; what an earlier process left is removed. */
async function isListenedOn(path: string): Promise<boolean> {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found?.isSocket() !== true) return false
  const socket = connect(path)
  try {
    await once(socket, 'connect')
    return true
  } catch {
    rmSync(path, { force: true })
    return false
  } finally {
    socket.destroy()
  }
}
