import type { NetworkAccess } from '@saltcod/bacalhau-records'

import { expect, test } from 'vitest'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { ExecEngine } from '../../src/engines/exec/exec-engine.ts'
import { bareRun } from '../compute/work-bench.ts'

const PORT = 31_517
const Network: NetworkAccess = {
  Type: 'Host',
  Domains: [],
  Ports: [{ Name: 'web', Static: PORT, Target: 0, HostNetwork: '' }],
}
const options = { signal: new AbortController().signal }

test('the ports of a run whose keeper was lost, and of one that was given up, are free for the next', async () => {
  const engine = new ExecEngine({ allowed: true, isolation: 'none' })
  const task = {
    Engine: { Type: 'exec', Params: { Command: 'sh', Arguments: ['-c', 'echo $BACALHAU_PORT_web'] } },
    Network,
  }
  const lost = await engine.prepare(await bareRun(temporaryDirectory(), task), options)
  process.kill(lost.process?.pid ?? 0, 'SIGKILL')
  expect(await lost.go()).toMatchObject({ reason: 'keeper-lost' })
  await (await engine.prepare(await bareRun(temporaryDirectory(), task), options)).abandon()
  const next = await engine.prepare(await bareRun(temporaryDirectory(), task), options)
  expect(next.note).toBe(`port web is ${PORT}`)
  expect(await next.go()).toMatchObject({ stdout: `${PORT}\n`, errorMessage: null })
})
