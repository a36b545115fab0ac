import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { eventually } from '../../../../../test/eventually.ts'
import { IS_LONG } from '../../../../../test/seed.ts'
import { type ContainerNode, containerNode, type EndedContainer, script } from './container-job.ts'
import { containerServer, containersMissing, named } from './container-server.ts'

const missing = containersMissing()

describe.runIf(missing === null)(named('a container that its operator', missing), () => {
  const server = containerServer()

  /** Runs a job of one attempt, and lets an operator do something to its container once that has said something. */
  async function whileRuns(
    node: ContainerNode,
    text: string,
    act: (container: string) => void | Promise<void>,
  ): Promise<EndedContainer> {
    const running = node.run(script(`echo begun; ${text}`))
    let container = ''
    await eventually('it has begun', async () => {
      container =
        (await server().containers()).find(({ State }) => State === 'running')?.Names[0]?.slice(1) ?? ''
      return container !== '' && server().podman('logs', container) === 'begun\n'
    })
    await act(container)
    return await running
  }

  test('gives another name goes on to its end, once', async () => {
    const node = await containerNode(server())
    const ran = await whileRuns(node, 'sleep 3; echo ended', (container) => {
      server().podman('rename', container, 'of-the-operator')
    })
    expect(ran.stdout).toBe('begun\nended\n')
    expect(ran.answer.Executions?.Items).toHaveLength(1)
    await server().becomesEmpty()
  })

  test('removes is said to be removed, and its log to lack what could not be read', async () => {
    const node = await containerNode(server())
    const ran = await whileRuns(node, 'sleep 8', async (container) => {
      // Long enough for what it said to be read.
      await delay(3_000)
      server().podman('rm', '--force', '--time', '0', container)
    })
    expect(JSON.stringify(ran.answer.History)).toContain('its container was removed by somebody else')
    // It is begun again elsewhere, with a log of its own.
    const logs = ran.answer.Executions?.Items.map(({ RunOutput }) => RunOutput?.Stdout)
    expect(logs?.toSorted()).toEqual(['begun\n', expect.stringMatching(/^begun\n\[saltcod: the rest may/)])
  })

  test.runIf(IS_LONG)(
    'takes its watcher and its program from ends all the same',
    { timeout: 300_000 },
    async () => {
      const node = await containerNode(server())
      const ran = await whileRuns(node, 'sleep 20', (container) => {
        const pids = server().podman('inspect', '--format', '{{.State.ConmonPid}} {{.State.Pid}}', container)
        for (const pid of pids.trim().split(' ')) process.kill(Number(pid), 'SIGKILL')
      })
      expect(JSON.stringify(ran.answer.History)).toContain('its program is gone')
    },
  )
})
