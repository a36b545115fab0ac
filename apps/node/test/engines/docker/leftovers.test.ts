import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { eventually } from '../../../../../test/eventually.ts'
import { temporaryDirectory } from '../../../../../test/temporary-directory.ts'
import { bootId } from '../../../src/compute/keeper/process-table.ts'
import { containerName, LABELS, mountNamespace } from '../../../src/engines/docker/container-name.ts'
import { removeLeftovers } from '../../../src/engines/docker/leftovers.ts'
import { type Ask, SocketApi, SocketError } from '../../../src/engines/docker/socket-api.ts'
import { containerServer, containersMissing, named } from './container-server.ts'

const missing = containersMissing()

/** A server that does not remove one container. */
class HoldingApi extends SocketApi {
  held = ''

  override async ask<Answer>(what: Ask): Promise<Answer> {
    if (what.method !== 'DELETE' || this.held === '' || !what.path.includes(this.held))
      return await super.ask(what)
    throw new SocketError(500, 'device or resource\nbusy')
  }
}

describe.runIf(missing === null)(named('what is left over', missing), () => {
  const server = containerServer()

  test('is removed where it is of this node, or of one whose directory is gone, and nothing else', async () => {
    const { api } = server()
    const dataDir = temporaryDirectory()
    const gone = '/nowhere/of-a-node'
    const make = async (executionId: string, labels: Readonly<Record<string, string>>, name?: string) => {
      const usual = {
        [LABELS.node]: 'n-1',
        [LABELS.execution]: executionId,
        [LABELS.attempt]: '1',
        [LABELS.place]: dataDir,
        [LABELS.boot]: bootId(),
        [LABELS.mounts]: mountNamespace(),
      }
      await api.ask({
        method: 'POST',
        path: '/containers/create',
        query: { name: name ?? containerName({ executionId, attempt: 1 }) },
        body: { Image: 'busybox:1', Cmd: ['true'], Labels: { ...usual, ...labels } },
      })
    }
    await make('e-own', {})
    await make('e-wanted', {})
    await make('e-of-gone', { [LABELS.node]: 'n-2', [LABELS.place]: gone })
    await make('e-before', { [LABELS.node]: 'n-2', [LABELS.place]: gone, [LABELS.boot]: 'earlier' })
    await make('e-other', { [LABELS.node]: 'n-2', [LABELS.place]: temporaryDirectory() })
    await make('e-unseen', { [LABELS.node]: 'n-2', [LABELS.place]: gone, [LABELS.mounts]: 'mnt:[1]' })
    await make('e-user', {}, 'of-a-user')
    const { removed } = await removeLeftovers(
      api,
      { nodeId: 'n-1', dataDir },
      {
        isWanted: ({ executionId }) => Promise.resolve(executionId === 'e-wanted'),
        unwanted: () => Promise.resolve(undefined),
      },
    )
    expect(removed.toSorted()).toEqual(['saltcod-e-before-1', 'saltcod-e-of-gone-1', 'saltcod-e-own-1'])
    const names = (await server().containers()).map(({ Names }) => Names[0]?.replace('/', ''))
    expect(names.toSorted()).toEqual([
      'of-a-user',
      'saltcod-e-other-1',
      'saltcod-e-unseen-1',
      'saltcod-e-wanted-1',
    ])
  })

  test('is removed with its log kept, where its attempt is the last one', async () => {
    const { api } = server()
    const [dataDir, workDir] = [temporaryDirectory(), temporaryDirectory()]
    const identity = { executionId: 'e-talks', attempt: 1 }
    const Labels = {
      [LABELS.node]: 'n-1',
      [LABELS.execution]: identity.executionId,
      [LABELS.attempt]: '1',
      [LABELS.place]: dataDir,
    }
    const name = containerName(identity)
    const body = { Image: 'busybox:1', Cmd: ['sh', '-c', 'echo said; exec sleep 600'], Labels }
    await api.ask({ method: 'POST', path: '/containers/create', query: { name }, body })
    await api.ask({ method: 'POST', path: `/containers/${name}/start` })
    await eventually('it has said something', () => server().podman('logs', name) === 'said\n')
    const { removed } = await removeLeftovers(
      api,
      { nodeId: 'n-1', dataDir },
      {
        isWanted: () => Promise.resolve(false),
        unwanted: (run) => Promise.resolve({ ...run, workDir, logBytes: 1_000 }),
      },
    )
    expect(removed).toContain(name)
    expect(readFileSync(join(workDir, 'stdout'), 'utf8')).toBe('said\n')
    expect((await server().containers()).map(({ Names }) => Names[0])).not.toContain(`/${name}`)
  })

  test('is removed although one of them cannot be, which is said', async () => {
    const api = new HoldingApi(server().socket)
    const dataDir = temporaryDirectory()
    for (const executionId of ['e-first', 'e-held', 'e-last']) {
      const Labels = {
        [LABELS.node]: 'n-1',
        [LABELS.execution]: executionId,
        [LABELS.attempt]: '1',
        [LABELS.place]: dataDir,
      }
      const query = { name: containerName({ executionId, attempt: 1 }) }
      const body = { Image: 'busybox:1', Cmd: ['true'], Labels }
      const { Id } = await api.ask<{ readonly Id: string }>({
        method: 'POST',
        path: '/containers/create',
        query,
        body,
      })
      if (executionId === 'e-held') api.held = Id
    }
    const sweep = async () =>
      await removeLeftovers(
        api,
        { nodeId: 'n-1', dataDir },
        { isWanted: () => Promise.resolve(false), unwanted: () => Promise.resolve(undefined) },
      )
    const { removed, stuck } = await sweep()
    expect(removed.toSorted()).toEqual(['saltcod-e-first-1', 'saltcod-e-last-1'])
    expect(stuck).toEqual(['saltcod-e-held-1: device or resource busy'])
    api.held = ''
    expect(await sweep()).toEqual({ removed: ['saltcod-e-held-1'], stuck: [] })
    api.close()
  })
})
