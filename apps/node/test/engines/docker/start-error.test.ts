import { describe, expect, test } from 'vitest'
import { startError } from '../../../src/engines/docker/start-error.ts'
import { containerNode } from './container-job.ts'
import { containerServer, containersMissing, named } from './container-server.ts'

const missing = containersMissing()

test('what Docker says of a container that it cannot start is said in words for whoever wrote the job', () => {
  const failed = 'OCI runtime create failed: runc create failed: unable to start container process:'
  const said: readonly (readonly [said: string, meaning: string, memoryBytes?: number])[] = [
    [`${failed} exec: "python": executable file not found in $PATH: unknown`, 'no such program'],
    [`${failed} exec: "/a": stat /a: no such file or directory: unknown`, 'no such file'],
    [`${failed} exec: "/a": permission denied: unknown`, 'may not be executed'],
    [`${failed} exec: "/a": is a directory: unknown`, 'may not be executed'],
    [`${failed} exec: "/a": exec format error: unknown`, 'another architecture'],
    ['No command specified', 'which program it runs'],
    ['Minimum memory limit allowed is 6MB', 'its Memory of 1000000 bytes is less', 1_000_000],
    ['crun: executable file `python` not found in $PATH: No such file or directory', 'no such program'],
  ]
  for (const [text, meaning, memoryBytes = null] of said) {
    const told = startError(text, memoryBytes)
    expect(told).toContain(meaning)
    expect(told).toContain(`(${text})`)
  }
})

test('what nobody knows is told as it was said, in one line', () => {
  expect(startError('all is\n\twrong', 64_000_000)).toBe('docker: all is wrong')
})

describe.runIf(missing === null)(named('a container that cannot be started', missing), () => {
  const server = containerServer()

  test('says what is wrong with its job', async () => {
    const node = await containerNode(server())
    const source = { Type: 'inline', Params: { URL: 'data:,echo%20hello%0A' } }
    const mistakes: readonly (readonly [params: object, meaning: string, task?: object])[] = [
      [{ Parameters: ['python3'] }, 'its path has no such program'],
      [{ Parameters: ['echo hello'] }, 'a command line is for [sh, -c, TEXT]'],
      [{ Parameters: ['/nowhere'] }, 'there is no such file in the container'],
      [
        { Parameters: ['/in/run.sh'] },
        'is given to its interpreter, as [sh, FILE]',
        { InputSources: [{ Target: '/in/run.sh', Source: source }] },
      ],
      [{}, 'neither its job nor its image says which program it runs'],
      [
        { Parameters: ['true'] },
        'its Memory of 1000000 bytes is less than',
        { Resources: { Memory: '1mb' } },
      ],
    ]
    for (const [params, meaning, task] of mistakes) {
      const { answer } = await node.run(params, task)
      expect(answer.Job.State.StateType).toBe('Failed')
      expect(answer.Job.State.Message).toContain(meaning)
    }
    await server().becomesEmpty()
  })
})
