import { cpSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { beforeAll, expect, test, vi } from 'vitest'
import { useFixtureSession } from './fixture-session.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const JOBS = 'n-1-requester/jobs.db'
const EXECUTIONS = 'n-1-compute/executions.db'

const session = useFixtureSession()
const { run, at } = session

beforeAll(() => {
  const seenAt = '2026-01-02T03:04:05.000Z'
  for (const [name, file] of [
    ['no-jobs', JOBS],
    ['no-executions', EXECUTIONS],
    ['all-there', null],
  ] as const) {
    cpSync(at('repository'), at(name), { recursive: true, filter: (path) => !path.includes('.owner') })
    const remembered = {
      requester: [{ path: JOBS, storeId: 'store-1', seenAt }],
      compute: [{ path: EXECUTIONS, storeId: 'store-2', seenAt }],
      archive: [],
    }
    writeFileSync(at(join(name, 'store-paths.json')), JSON.stringify(remembered))
    if (file === null) continue
    mkdirSync(dirname(at(join('away', name, file))), { recursive: true })
    renameSync(at(join(name, file)), at(join('away', name, file)))
  }
})

for (const [place, said, command, shown] of [
  ['no-jobs', 'job', ['summary'], 'executions of node n-1'],
  ['no-jobs', 'job', ['recover', '--plan'], 'e-1c9f63aa'],
  ['no-jobs', 'job', ['counts'], 'executions'],
  ['no-jobs', 'job', ['executions'], 'exec-failed'],
  ['no-jobs', 'job', ['why', 'exec-failed'], 'it ended as Failed'],
  ['no-jobs', 'job', ['check'], 'executions.db: sound'],
  ['no-jobs', 'job', ['du'], 'executions.db'],
  ['no-executions', 'execution', ['summary'], 'jobs of node n-1'],
  ['no-executions', 'execution', ['jobs'], 'nightly'],
  ['no-executions', 'execution', ['recover'], ''],
  ['no-jobs', 'job', ['jobs'], ''],
] as const) {
  test(`${command.join(' ')} says that the ${said} store that was there is gone`, async () => {
    const [verb, ...others] = command
    const { status, stdout, stderr } = await run(verb, place, ...others)
    expect(stdout).toContain(shown)
    const path = at(join(place, said === 'job' ? JOBS : EXECUTIONS))
    expect(stderr.match(/Error:/g)).toHaveLength(1)
    expect(stderr).toContain(`the ${said} store at ${path} is gone: store store-`)
    expect(stderr).toContain('last seen at the start of 2026-01-02T03:04:05.000Z')
    expect(stderr).toContain(`saltcod-inspect restore BACKUP ${path}`)
    expect(status).toBe(3)
  })
}

test('a repository with all its stores lacks none', async () => {
  for (const verb of ['summary', 'recover', 'check', 'du'])
    expect(await run(verb, 'all-there')).toMatchObject({ status: 0, stderr: '' })
})
