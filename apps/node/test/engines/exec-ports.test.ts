import { readFileSync } from 'node:fs'
import type { NetworkAccess } from '@saltcod/bacalhau-records'
import { expect, test } from 'vitest'
import { eventually } from '../../../../test/eventually.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { childrenOf } from '../../src/compute/keeper/process-table.ts'
import { ExecEngine } from '../../src/engines/exec/exec-engine.ts'
import { bareRun } from '../compute/work-bench.ts'

const PORT = 31_517
const Network: NetworkAccess = {
  Type: 'Host',
  Domains: [],
  Ports: [{ Name: 'web', Static: PORT, Target: 0, HostNetwork: '' }],
}
const options = { signal: new AbortController().signal }

test('the ports of a run that was never begun, since its keeper was lost, are free for the next', async () => {
  const engine = new ExecEngine({ allowed: true, isolation: 'none' })
  const task = {
    Engine: { Type: 'exec', Params: { Command: 'sh', Arguments: ['-c', 'echo $BACALHAU_PORT_web'] } },
    Network,
  }
  const lost = engine.prepare(await bareRun(temporaryDirectory(), task), options)
  const keeper = await eventually('a keeper is there', () =>
    childrenOf(process.pid).find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('keeper')),
  )
  process.kill(keeper, 'SIGKILL')
  await expect(lost).rejects.toMatchObject({ name: 'HelperLost' })
  const next = await engine.prepare(await bareRun(temporaryDirectory(), task), options)
  expect(await next.go()).toMatchObject({ stdout: `${PORT}\n`, errorMessage: null })
})
