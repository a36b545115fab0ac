import { describe, expect, test } from 'vitest'
import { temporaryDirectory } from '../../../../../test/temporary-directory.ts'
import { DockerEngine } from '../../../src/engines/docker/docker-engine.ts'
import {
  type ContainerServer,
  containerServer,
  containersMissing,
  named,
  ordinaryMissing,
} from './container-server.ts'

function engineOf({ socket }: ContainerServer): DockerEngine {
  return new DockerEngine({
    owner: { nodeId: 'n-1', dataDir: temporaryDirectory() },
    places: { configured: socket, dockerHost: undefined, runtimeDir: undefined },
    pull: 'never',
    stallMs: 1_000,
    imageRules: { keepForMs: 0, maxBytes: 0 },
    environment: {},
  })
}

/** What Podman itself says on its command line. */
function keptBy(server: ContainerServer): string {
  const controllers = server
    .podman('info', '--format', '{{join .Host.CgroupControllers " "}}')
    .trim()
    .split(' ')
  return ['cpu', 'memory'].filter((name) => controllers.includes(name)).join('-') || 'none'
}

const missing = containersMissing()

describe.runIf(missing === null)(named('of the limits of a container', missing), () => {
  const server = containerServer()

  test('a label of the node tells which its kernel keeps', async () => {
    expect(await engineOf(server()).labels()).toMatchObject({ 'saltcod/docker-limits': keptBy(server()) })
  })
})

const missingOrdinary = ordinaryMissing()

describe.runIf(missingOrdinary === null)(
  named('of the limits of a container of an ordinary user', missingOrdinary),
  () => {
    const server = containerServer(true)

    test('a label of the node tells which his kernel keeps, and claims none that is left out', async () => {
      expect(await engineOf(server()).labels()).toMatchObject({ 'saltcod/docker-limits': keptBy(server()) })
    })
  },
)
