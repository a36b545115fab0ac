import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { WireError, WireGetJobAnswer, WirePutJobAnswer } from '@saltcod/bacalhau-records'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ProgramSession } from '../../../../test/program-session.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { COMMANDS } from '../cli/binary.ts'
import { startTestNode, type TestNode } from '../node-fixture.ts'
import { FORMS, JOBS, type Json, mutated, mutation, STYLES, written } from './mutated-job.ts'
import { silentlyOther } from './silently-other.ts'

/** For so long each door is tried; without, each is tried often enough to notice what is grossly wrong. */
const MINUTES = Number(process.env['SALTCOD_FUZZ_MINUTES'] ?? 0)
const FEW_RUNS = 25
const JOBS_PATH = '/api/v1/orchestrator/jobs'
const NONSENSE = /undefined|\[object|NaN|at .*\.js/

let session: ProgramSession

beforeAll(() => {
  session = new ProgramSession(COMMANDS)
})

afterAll(() => session.close())

/** A lone pair is taken as it stands but for quotes around it; of several each may be in quotes. */
function oneOfTwo(name: string, value: string): string {
  return `"${`${name}=${value}`.replaceAll('"', '""')}",unused=1`
}

const job = fc
  .tuple(fc.constantFrom(...JOBS), fc.array(mutation, { maxLength: 4 }))
  .map(([base, mutations]) => JSON.parse(JSON.stringify(mutated(base, mutations))) as Json)

async function assertOften<T extends [unknown, ...unknown[]]>(property: fc.IAsyncProperty<T>): Promise<void> {
  await fc.assert(property, {
    numRuns: MINUTES === 0 ? FEW_RUNS : Number.MAX_SAFE_INTEGER,
    ...(MINUTES === 0 ? {} : { interruptAfterTimeLimit: MINUTES * 60_000 }),
  })
}

/** Compares a job that a node took with what it was given, and ends it. */
async function expectKept(node: TestNode, id: string, said: Json, warnings: string): Promise<void> {
  const { status, body } = await node.request<WireGetJobAnswer>('GET', `${JOBS_PATH}/${id}`)
  expect(status).toBe(200)
  expect(silentlyOther(said, body.Job as unknown as Json, warnings), JSON.stringify(said)).toEqual([])
  await node.request('DELETE', `${JOBS_PATH}/${id}`)
}

const timeout = MINUTES * 60_000 + 120_000

test('what the API takes is kept as it was sent, or a warning names what is not', { timeout }, async () => {
  const node = await startTestNode(['--node-type', 'requester'])
  let taken = 0
  await assertOften(
    fc.asyncProperty(job, async (said) => {
      const { status, body } = await node.request<WirePutJobAnswer & WireError>('PUT', JOBS_PATH, {
        Job: said,
        Force: true,
      })
      if (status === 200) {
        taken += 1
        await expectKept(node, body.JobID, said, (body.Warnings ?? []).join('\n'))
      } else {
        expect([400, 409, 413]).toContain(status)
        expect(body.Message).not.toMatch(NONSENSE)
      }
    }),
  )
  expect(taken).toBeGreaterThan(0)
})

test('what the command line takes of a file is kept as it is written, or a warning names what is not', {
  timeout,
}, async () => {
  const node = await startTestNode(['--node-type', 'requester'])
  const file = join(temporaryDirectory(), 'job.yaml')
  const env = { BACALHAU_DIR: node.directory, BACALHAU_API_PORT: new URL(node.url).port }
  let taken = 0
  await assertOften(
    fc.asyncProperty(
      job,
      fc.constantFrom(...STYLES),
      fc.nat(FORMS.length - 1),
      fc.nat(4),
      async (said, style, form, every) => {
        const { text, variables } = written(said, style, form, every)
        writeFileSync(file, text)
        const given = [...variables].flatMap(([name, value]) => ['-V', oneOfTwo(name, value)])
        const args = ['job', 'run', '--force', '--no-wait', '--id-only', ...given, file]
        const { code, stdout, stderr } = await session.run(args, { env })
        if (code === 0) {
          taken += 1
          await expectKept(node, stdout.trim(), said, stderr)
        } else {
          expect([code, stderr]).toEqual([1, expect.stringMatching(/^Error: /)])
          expect(stderr).not.toMatch(NONSENSE)
        }
      },
    ),
  )
  expect(taken).toBeGreaterThan(0)
})
