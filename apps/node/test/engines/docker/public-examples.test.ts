import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { ProgramSession } from '../../../../../test/program-session.ts'
import { temporaryDirectory } from '../../../../../test/temporary-directory.ts'
import { COMMANDS, serveNode } from '../../cli/binary.ts'
import { fileFlags } from '../../node-fixture.ts'
import { containerServer, containersMissingOrShort, named } from './container-server.ts'

const missing = containersMissingOrShort()

/**
 * Job files as the public examples of Bacalhau write them that need no network: keys in lower case, a shell as the
 * entrypoint and the command as parameters, results in a directory of a name of their own, several executions.
 */
const FILES: Readonly<Record<string, string>> = {
  'says.yaml': `name: A container that says something
type: batch
count: 1
tasks:
  - name: the only task
    engine:
      type: docker
      params:
        Image: ubuntu:latest
        Entrypoint:
          - /bin/bash
        Parameters:
          - -c
          - echo Salted cod!
`,
  'keeps.json': JSON.stringify({
    Name: 'A container that keeps something',
    Type: 'batch',
    Namespace: 'default',
    Count: 1,
    Tasks: [
      {
        Name: 'main',
        Engine: {
          Type: 'docker',
          Params: {
            Image: 'ubuntu:latest',
            Entrypoint: ['/bin/bash'],
            Parameters: ['-c', 'echo 15 > /output_custom/output.txt'],
          },
        },
        Publisher: { Type: 'local' },
        ResultPaths: [{ Name: 'output_custom', Path: '/output_custom' }],
      },
    ],
  }),
  'often.yaml': `Name: The same, three times
Type: batch
Count: 3
Tasks:
  - Name: main
    Engine:
      Type: Docker
      Params:
        Image: "ubuntu:20.04"
        Entrypoint:
          - "/bin/bash"
          - "-c"
        Parameters:
          - 'echo $MY_ENV_VAR in $(pwd)'
        EnvironmentVariables:
          - "MY_ENV_VAR=myvalue"
        WorkingDirectory: "/tmp"
`,
}

describe.runIf(missing === null)(named('job files in the manner of public examples', missing), () => {
  const server = containerServer()

  test('run as they are', { timeout: 300_000 }, async () => {
    for (const name of ['ubuntu:latest', 'ubuntu:20.04']) {
      await server().addImage(name, { files: { 'bin/bash': '#!/bin/sh\nexec /bin/sh "$@"\n' } })
    }
    const session = new ProgramSession(COMMANDS)
    onTestFinished(() => session.close())
    const config = fileFlags({ Engines: { Docker: { Socket: server().socket } } })
    const { env, directory } = await serveNode(temporaryDirectory(), config)
    const files = temporaryDirectory()
    const outputOf = async (file: string): Promise<string> => {
      const path = join(files, file)
      writeFileSync(path, FILES[file] ?? '')
      const ran = await session.run(['job', 'run', '--id-only', '--wait', path], { env })
      expect([file, ran.code, ran.stderr]).toEqual([file, 0, ''])
      return (await session.run(['job', 'logs', ran.stdout.trim()], { env })).stdout
    }
    expect(await outputOf('says.yaml')).toBe('Salted cod!\n')
    expect(await outputOf('keeps.json')).toBe('')
    const kept = readdirSync(directory, { recursive: true }).map(String)
    const result = kept.find((path) => path.endsWith('output_custom/output.txt')) ?? 'none'
    expect(readFileSync(join(directory, result), 'utf8')).toBe('15\n')
    expect(await outputOf('often.yaml')).toMatch(/^myvalue in \/tmp\n/)
  })
})
