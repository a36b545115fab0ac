import { describe, expect, test } from 'vitest'
import { eventually } from '../../../../../test/eventually.ts'
import { temporaryDirectory } from '../../../../../test/temporary-directory.ts'
import { jobUntil, saltcod, serveNode } from '../../cli/binary.ts'
import { fileFlags } from '../../node-fixture.ts'
import { containerServer, containersMissing, named } from './container-server.ts'

const missing = containersMissing()
const SCRIPT =
  'i=0; while [ $i -lt 30 ]; do echo line $i; i=$((i+1)); usleep 100000; done; echo done > /outputs/end'

describe.runIf(missing === null)(named('a container whose node is killed', missing), () => {
  const server = containerServer()

  test('goes on, and the next start goes on with it: one run, a whole log, its results', async () => {
    const repo = temporaryDirectory()
    const flags = fileFlags({ Engines: { Docker: { Socket: server().socket } } })
    const first = await serveNode(repo, flags)
    const job = {
      Type: 'batch',
      Count: 1,
      Tasks: [
        {
          Name: 'main',
          Engine: {
            Type: 'docker',
            Params: { Image: 'busybox:1', Entrypoint: ['sh', '-c'], Parameters: [SCRIPT] },
          },
          Network: { Type: 'None' },
          Publisher: { Type: 'local' },
          ResultPaths: [{ Name: 'outputs', Path: '/outputs' }],
        },
      ],
    }
    const answer = await fetch(`${first.url}/api/v1/orchestrator/jobs`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ Job: job }),
    })
    const { JobID } = (await answer.json()) as { readonly JobID: string }
    const container = await eventually('its container runs', async () =>
      (await server().containers()).find(({ State }) => State === 'running'),
    )
    await first.end()
    const second = await serveNode(repo, flags)
    const { Executions } = await jobUntil(second.url, JobID, 'Completed')
    const items = Executions?.Items ?? []
    expect(items.length).toBe(1)
    expect(container.Names[0]).toMatch(`${items[0]?.ID}-1`)
    const { stdout } = await saltcod(['job', 'logs', JobID], { env: second.env })
    const lines = Array.from({ length: 30 }, (_, index) => `line ${index}`)
    expect(stdout.trim().split('\n')).toEqual(lines)
    await server().becomesEmpty()
  })
})
