import { isDocker, type Server } from './server.ts'

/** What Docker says of itself. */
interface DockerInfo {
  readonly MemoryLimit?: boolean
  readonly CpuCfsQuota?: boolean
}

/** What Podman says of itself; in the words of Docker it claims limits that it leaves out for an ordinary user. */
interface PodmanInfo {
  readonly host?: { readonly cgroupControllers?: readonly string[] | null }
}

/** The oldest version of Podman's own API that all of today speak. */
const PODMAN_INFO = '/v4.0.0/libpod/info'

/**
 * Tells which limits of its containers a server has its kernel keep, of `cpu` and `memory`; undefined where it does
 * not say. Throws a `SocketError`.
 */
export async function serverLimits(
  server: Server,
  signal: AbortSignal,
): Promise<readonly string[] | undefined> {
  const { api } = server
  if (isDocker(server)) {
    const { CpuCfsQuota: cpu, MemoryLimit: memory } =
      (await api.ask<DockerInfo | undefined>({ path: '/info', signal })) ?? {}
    if (typeof memory !== 'boolean') return undefined
    return [...(cpu === true ? ['cpu'] : []), ...(memory ? ['memory'] : [])]
  }
  const info = await api.ask<PodmanInfo | undefined>({ path: PODMAN_INFO, signal })
  const controllers = info?.host?.cgroupControllers
  if (controllers === undefined) return undefined
  return ['cpu', 'memory'].filter((name) => controllers?.includes(name) === true)
}
