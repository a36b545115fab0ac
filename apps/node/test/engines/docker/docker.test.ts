import assert from 'node:assert/strict'
import { describe, expect, test } from 'vitest'
import { fileFlags, startTestNode, type TestNode } from '../../node-fixture.ts'
import { containerJob, script } from './container-job.ts'
import { containerServer, containersMissing, named } from './container-server.ts'

const missing = containersMissing()

describe.runIf(missing === null)(named('a job in a container', missing), () => {
  const server = containerServer()

  const start = async (): Promise<TestNode> =>
    await startTestNode(fileFlags({ Engines: { Docker: { Socket: server().socket } } }))

  test('runs, and leaves nothing but its output', async () => {
    const node = await start()
    const id = await node.submit(containerJob({ Parameters: ['echo', 'hello'] }))
    const { Executions } = await node.until(id, 'Completed', 'Failed')
    const output = Executions?.Items[0]?.RunOutput
    expect(output).toMatchObject({ Stdout: 'hello\n', ExitCode: 0 })
    await server().becomesEmpty()
  })

  test('fails with the words of what went wrong', async () => {
    const node = await start()
    const id = await node.submit(containerJob(script('echo oops >&2; exit 7')))
    const { Executions, Job } = await node.until(id, 'Completed', 'Failed')
    assert.equal(Job.State.StateType, 'Completed')
    expect(Executions?.Items[0]?.RunOutput).toMatchObject({ stderr: 'oops\n', ExitCode: 7 })
  })
})
