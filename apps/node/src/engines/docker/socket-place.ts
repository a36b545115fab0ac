import { statSync } from 'node:fs'
import { join } from 'node:path'
import { systemCode } from '../../system-code.ts'

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
  return usualPlaces(runtimeDir).filter((path) => lookAt(path) === 'socket')
}

/** Lists those of the usual sockets of which the user of the node may not even see whether they are there. */
export function hiddenPlaces({ runtimeDir }: SocketPlaces): readonly string[] {
  return usualPlaces(runtimeDir).filter((path) => lookAt(path) === 'hidden')
}

function usualPlaces(runtimeDir: string | undefined): readonly string[] {
  const ofUser = runtimeDir === undefined || runtimeDir === '' ? [] : [runtimeDir]
  return [
    '/var/run/docker.sock',
    '/run/podman/podman.sock',
    ...ofUser.flatMap((directory) => [
      join(directory, 'docker.sock'),
      join(directory, 'podman', 'podman.sock'),
    ]),
  ]
}

/** Tells whether the operator has named another socket than one, or that there shall be none. */
export function isOtherNamed({ configured, dockerHost = '' }: SocketPlaces, socketPath: string): boolean {
  const named = configured === '' ? dockerHost : configured
  return named !== '' && pathOf(named) !== socketPath
}

function pathOf(place: string): string {
  return place.startsWith(UNIX) ? place.slice(UNIX.length) : place
}

function lookAt(path: string): 'socket' | 'hidden' | 'none' {
  try {
    return statSync(path).isSocket() ? 'socket' : 'none'
  } catch (error) {
    return systemCode(error) === 'EACCES' ? 'hidden' : 'none'
  }
}
