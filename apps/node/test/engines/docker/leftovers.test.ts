import { describe, expect, test } from 'vitest'
import { temporaryDirectory } from '../../../../../test/temporary-directory.ts'
import { bootId } from '../../../src/compute/keeper/process-table.ts'
import { containerName, LABELS, mountNamespace } from '../../../src/engines/docker/container-name.ts'
import { removeLeftovers } from '../../../src/engines/docker/leftovers.ts'
import { containerServer, containersMissing, named } from './container-server.ts'

const missing = containersMissing()

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
    const removed = await removeLeftovers(
      api,
      { nodeId: 'n-1', dataDir },
      { isWanted: ({ executionId }) => Promise.resolve(executionId === 'e-wanted') },
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
})
