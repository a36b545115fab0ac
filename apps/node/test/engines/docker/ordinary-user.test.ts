import { chmodSync, chownSync, lstatSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { temporaryDirectory } from '../../../../../test/temporary-directory.ts'
import { jobUntil, serveNode } from '../../cli/binary.ts'
import { fileFlags } from '../../node-fixture.ts'
import { containerJob, KEEPS_OUTPUTS, script } from './container-job.ts'
import { containerServer, named, ORDINARY, ordinaryMissing } from './container-server.ts'

const missing = ordinaryMissing()

describe.runIf(missing === null)(named('the containers of an ordinary user', missing), () => {
  const server = containerServer(true)

  test('read their inputs, and leave results that are his, whoever they run as', async () => {
    const { uid, gid } = ORDINARY
    await server().addImage('ada:1', { changes: ['USER ada'] })
    const input = temporaryDirectory()
    writeFileSync(join(input, 'file'), 'input', { mode: 0o600 })
    const [repository, config] = [temporaryDirectory(), temporaryDirectory()]
    for (const path of [input, join(input, 'file'), repository]) chownSync(path, uid, gid)
    const flags = fileFlags({
      Engines: { Docker: { Socket: server().socket } },
      Inputs: { AllowedPaths: [input] },
    })
    const file = join(config, 'saltcod.yaml')
    writeFileSync(file, readFileSync(flags[1] ?? ''))
    chmodSync(config, 0o755)
    const node = await serveNode(repository, ['--config', file], ORDINARY)
    const text =
      'id -u; cat /in/file; echo x > /in/file; mkdir /outputs/d; echo mine > /outputs/d/f; chmod 0 /outputs/d/f'
    const Source = { Type: 'local', Params: { SourcePath: input } }
    for (const [Image, user] of [
      ['busybox:1', '0'],
      ['ada:1', '1000'],
    ]) {
      const task = { ...KEEPS_OUTPUTS, InputSources: [{ Source, Target: '/in' }] }
      const answer = await fetch(`${node.url}/api/v1/orchestrator/jobs`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ Job: containerJob({ Image, ...script(text) }, task) }),
      })
      const { JobID } = (await answer.json()) as { readonly JobID: string }
      const { Executions } = await jobUntil(node.url, JobID, 'Completed')
      const [execution] = Executions?.Items ?? []
      expect(execution?.RunOutput).toMatchObject({
        Stdout: `${user}\ninput`,
        stderr: expect.stringContaining('Read-only'),
      })
      const kept = readdirSync(repository, { recursive: true }).map(String)
      const path = kept.find((name) => name.endsWith(`${execution?.ID}/outputs/d/f`)) ?? 'none'
      const { uid: owner, mode } = lstatSync(join(repository, path))
      expect([Image, owner, mode & 0o7777]).toEqual([Image, uid, 0o444])
    }
    await server().becomesEmpty()
  })
})
