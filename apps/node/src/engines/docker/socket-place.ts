import { statSync } from 'node:fs'
import { join } from 'node:path'

const UNIX = 'unix://'

/** What says where a socket may be. */
export interface SocketPlaces {
  /** As the operator set it; empty where it is to be found, `none` where there shall be none. */
  readonly configured: string
  /** The values of `DOCKER_HOST` and `XDG_RUNTIME_DIR`, where there are any. */
  readonly dockerHost: string | undefined
  readonly runtimeDir: string | undefined
}

/** Lists the sockets at which a server may answer, the first to be asked first; a text says why there is none. */
export function socketPlaces({
  configured,
  dockerHost,
  runtimeDir,
}: SocketPlaces): readonly string[] | string {
  if (configured === 'none') return 'Engines.Docker.Socket is none'
  if (configured !== '') return [pathOf(configured)]
  if (dockerHost !== undefined && dockerHost !== '') {
    if (dockerHost.startsWith('/') || dockerHost.startsWith(UNIX)) return [pathOf(dockerHost)]
    return `DOCKER_HOST is ${dockerHost}, and only sockets of this machine (unix://PATH) are spoken to`
  }
  const ofUser = runtimeDir === undefined || runtimeDir === '' ? [] : [runtimeDir]
  return [
    '/var/run/docker.sock',
    '/run/podman/podman.sock',
    ...ofUser.flatMap((directory) => [
      join(directory, 'docker.sock'),
      join(directory, 'podman', 'podman.sock'),
    ]),
  ].filter(isSocket)
}

function pathOf(place: string): string {
  return place.startsWith(UNIX) ? place.slice(UNIX.length) : place
}

function isSocket(path: string): boolean {
  try {
    return statSync(path).isSocket()
  } catch {
    return false
  }
}
