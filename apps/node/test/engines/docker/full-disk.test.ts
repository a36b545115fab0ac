import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { fillDisk, mountSmallDisk } from '../../../../../test/small-disk.ts'
import { temporaryDirectory } from '../../../../../test/temporary-directory.ts'
import { containerNode, script } from './container-job.ts'
import { ContainerServer, containersMissingOrShort, named } from './container-server.ts'

const missing = containersMissingOrShort()

describe.runIf(missing === null)(named('the disk of the server of containers', missing), () => {
  test('is full as an image is fetched: a job says so, nothing is left over, and the next one runs', async () => {
    const directory = temporaryDirectory()
    const root = join(directory, 'root')
    mkdirSync(root)
    expect(mountSmallDisk('24m', root)).toBe(true)
    const server = await ContainerServer.start(directory)
    onTestFinished(() => server.stop())
    server.registry.images.set('big', {})
    const Image = `${server.registry.address}/big:1`
    const node = await containerNode(server)
    const layers = (): string[] => readdirSync(join(root, 'vfs', 'dir')).sort()
    const before = layers()
    const filler = join(root, 'filler')
    fillDisk(filler)
    const { answer } = await node.run({ Image, ...script('echo ran') })
    expect(answer.Job.State.StateType).toBe('Failed')
    expect(JSON.stringify(answer.History)).toContain(
      `the image ${Image} could not be fetched: the disk of its server is full (`,
    )
    rmSync(filler)
    expect(server.podman('images', '--all', '--format', '{{.Repository}}')).toBe(
      'docker.io/library/busybox\n',
    )
    await server.becomesEmpty()
    expect(layers()).toEqual(before)
    expect((await node.run({ Image, ...script('echo ran') })).stdout).toBe('ran\n')
    await server.becomesEmpty()
  })
})
