import { describe, expect, test } from 'vitest'
import { containerNode, script } from './container-job.ts'
import { containerServer, containersMissing, named } from './container-server.ts'

const missing = containersMissing()

describe.runIf(missing === null)(named('what a job says to its container', missing), () => {
  const server = containerServer()

  test('its entrypoint and its parameters stand in place of those of the image', async () => {
    const image = 'said:1'
    await server().addImage(image, {
      changes: ['ENTRYPOINT ["echo", "entry"]', 'CMD ["command"]', 'ENV FROM=image', 'WORKDIR /var'],
    })
    const node = await containerNode(server())
    const said = async (params: object) => (await node.run({ Image: image, ...params })).stdout
    expect(await said({})).toBe('entry command\n')
    expect(await said({ Parameters: ['a', '-b', '$HOME', 'c d'] })).toBe('entry a -b $HOME c d\n')
    // As with docker itself, the command of the image is not for another entrypoint.
    expect(await said({ Entrypoint: ['echo', 'mine'] })).toBe('mine\n')
    expect(await said({ Entrypoint: ['echo'], Parameters: ['x'] })).toBe('x\n')
    expect(await said({ Entrypoint: ['sh', '-c'], Parameters: ['echo $FROM; pwd'] })).toBe('image\n/var\n')
  })

  test('sees the variables of its task, of its engine, and of the node, and no others', async () => {
    process.env['CANARY_OF_THE_NODE'] = 'secret'
    const node = await containerNode(server())
    const ran = await node.run(
      { ...script('env'), EnvironmentVariables: ['ENGINE=a=b c', 'BOTH=engine', 'EMPTY='] },
      { Env: { TASK: 'x "y"', BOTH: 'task', LINES: 'one\ntwo' } },
    )
    delete process.env['CANARY_OF_THE_NODE']
    const { stdout, id, execution } = ran
    for (const line of [
      ...['ENGINE=a=b c', 'BOTH=engine', 'EMPTY=', 'TASK=x "y"', 'LINES=one\ntwo'],
      ...[`BACALHAU_JOB_ID=${id}`, `BACALHAU_EXECUTION_ID=${execution.ID}`, 'BACALHAU_JOB_TYPE=batch'],
      ...['BACALHAU_PARTITION_INDEX=0', 'BACALHAU_PARTITION_COUNT=1'],
    ])
      expect(`\n${stdout}`).toContain(`\n${line}\n`)
    expect(stdout).not.toContain('CANARY')
  })

  test('begins in its working directory, which is made where there is none', async () => {
    const node = await containerNode(server())
    expect((await node.run({ ...script('pwd'), WorkingDirectory: '/tmp' })).stdout).toBe('/tmp\n')
    expect((await node.run({ ...script('pwd'), WorkingDirectory: '/not/there yet' })).stdout).toBe(
      '/not/there yet\n',
    )
    const Target = '/data/in'
    const input = { Source: { Type: 'inline', Params: { URL: 'data:,hello' } }, Target: '/data/in/file' }
    const ran = await node.run(
      { ...script('pwd; cat file'), WorkingDirectory: Target },
      { InputSources: [input] },
    )
    expect(ran.stdout).toBe('/data/in\nhello')
  })

  test('ends with the code of its program, and a signal is told as a shell does', async () => {
    const node = await containerNode(server())
    expect((await node.run(script('echo oops >&2; exit 7'))).execution.RunOutput).toMatchObject({
      ExitCode: 7,
      stderr: 'oops\n',
    })
    expect((await node.run(script('sh -c "kill -9 \\$\\$"; exit $?'))).exitCode).toBe(137)
  })

  test('fails where its program is not there, with what is wrong', async () => {
    const node = await containerNode(server())
    const none = await node.run({ Entrypoint: ['nonesuch'] })
    expect(none.answer.Job.State).toMatchObject({ StateType: 'Failed' })
    expect(JSON.stringify(none.answer.History)).toMatch(/docker: .*nonesuch.*not found/)
    const denied = await node.run({ Entrypoint: ['/etc/passwd'] })
    expect(JSON.stringify(denied.answer.History)).toMatch(/docker: .*permission denied/i)
    await server().becomesEmpty()
  })
})
