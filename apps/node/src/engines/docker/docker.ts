import type { EngineKind } from '../engine-kind.ts'
import { DOCKER } from './parameters.ts'

/** Runs a container of an image, on the Docker or Podman of the machine. */
export const docker: EngineKind = {
  ...DOCKER,
  // They are mounted read-only; but a container outlives its node, and what jobs share goes with that.
  writesInputs: true,
  networks: ['None', 'Bridge', 'Host', 'Full'],
  isOnHost: false,
  mapsPorts: true,
  writesOutput: true,
  needsDirectory: true,
  async load({ config, nodeId, dataDir, environment }) {
    const { DockerEngine } = await import('./docker-engine.ts')
    const { socket, pull, pullPatienceMs, images } = config.engines.docker
    return new DockerEngine({
      owner: { nodeId, dataDir },
      places: {
        configured: socket,
        dockerHost: environment['DOCKER_HOST'],
        runtimeDir: environment['XDG_RUNTIME_DIR'],
      },
      pull,
      stallMs: pullPatienceMs,
      imageRules: images,
      environment,
    })
  },
}
