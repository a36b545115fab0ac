import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'vitest'
import { eventually } from '../../../../test/eventually.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { childrenOf } from '../../src/compute/keeper/process-table.ts'
import { AttackedNode } from '../chaos/attacked-node.ts'
import { gatedJob, noopJob } from '../chaos/chaos-jobs.ts'
import { processesWith } from '../chaos/job-processes.ts'

type Shown = { readonly config: { readonly Logging: { readonly Level: string }; readonly API: object } }

test('SIGHUP takes the log level and the rules of retention, and says what waits for a start', async () => {
  const directory = temporaryDirectory()
  const repository = join(directory, 'repo')
  const node = new AttackedNode(repository, [], { Logging: { Level: 'info' } })
  await node.start()
  const configure = (text: string): void => writeFileSync(join(repository, 'saltcod.yaml'), text)
  const hangUp = async (said: string): Promise<string> => {
    const before = node.log.length
    node.send('SIGHUP')
    await eventually(said, () => node.log.slice(before).includes(said))
    return node.log.slice(before)
  }
  const shown = async (): Promise<Shown['config']> =>
    ((await (await node.request('GET', 'agent/config')).json()) as Shown).config
  const id = await node.submit(noopJob('batch', '', 0))
  await node.until(id, 'Completed')
  const { API } = await shown()

  configure(
    JSON.stringify({
      Logging: { Level: 'debug' },
      API: { Port: 4321 },
      Retention: [{ State: 'Completed', MaxCount: 0 }],
    }),
  )
  const taken = await hangUp('the configuration was read again')
  assert.match(taken, /"settings":\["Logging\.Level","Retention"\]/)
  assert.doesNotMatch(taken, /next start/, 'the port is given by a flag, which wins')
  await node.request('GET', 'no/such/path')
  await eventually('a line of level debug', () => node.log.includes('"level":20'))
  assert.deepEqual([(await shown()).Logging.Level, (await shown()).API], ['debug', API])
  const gc = (await (await node.request('POST', 'saltcod/gc', {})).json()) as { removedJobs: number }
  assert.equal(gc.removedJobs, 1)

  configure('GracePeriod: 1s\nLogging: { Level: debug }\n')
  assert.match(await hangUp('the configuration was read again'), /"settings":\["GracePeriod"\].*next start/)

  configure('Logging: { Level: loud }\nRetention: [{ MaxAge: never }]\n')
  const refused = await hangUp('all stays as it was')
  assert.match(refused, /Logging\.Level/)
  assert.equal((await shown()).Logging.Level, 'debug')
  assert.equal((await node.request('GET', 'agent/alive')).status, 200)
  assert.deepEqual(await node.signal('SIGTERM'), { code: 0, signal: null })
})

test('SIGHUP takes the rules of interruptions, and names those of a restart for the next one', async () => {
  const repository = join(temporaryDirectory(), 'repo')
  const node = new AttackedNode(repository, ['--allow-exec'])
  await node.start()
  const Recovery = { Preset: 'expire', Interruptions: { Limit: 0 } }
  const Compaction = { Rewrite: { Every: '1h' } }
  writeFileSync(join(repository, 'saltcod.yaml'), JSON.stringify({ Recovery, Compaction }))
  node.send('SIGHUP')
  await eventually('the configuration is read', () => node.log.includes('the configuration was read again'))
  assert.match(
    node.log,
    /"settings":\["Recovery\.Preset"\],"msg":"these settings are taken at the next start"/,
  )
  assert.match(
    node.log,
    /"settings":\["Recovery\.Interruptions\.Limit","Compaction\.Rewrite\.Every"\],"msg":"the configuration was read again"/,
  )
  const gate = join(repository, 'gate')
  const id = await node.submit(gatedJob('held', 'mark', gate))
  const keepers = (): number[] =>
    childrenOf(node.pid).filter((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('keeper'))
  const runs = (): boolean => processesWith(gate).length > 0
  await eventually('the job runs', () => keepers().length === 1 && runs())
  for (const pid of keepers()) process.kill(pid, 'SIGKILL')
  const { Job } = await node.until(id, 'Failed')
  assert.equal(Job.State.Message, 'job was interrupted 1 times')
  assert.deepEqual(await node.signal('SIGTERM'), { code: 0, signal: null })
}, 120_000)
