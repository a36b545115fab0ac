import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { WireGetJobAnswer } from '@saltcod/bacalhau-records'
import { describe, expect, onTestFinished, test } from 'vitest'
import { eventually } from '../../../../../test/eventually.ts'
import { ProgramSession } from '../../../../../test/program-session.ts'
import { temporaryDirectory } from '../../../../../test/temporary-directory.ts'
import { COMMANDS, serveNode } from '../../cli/binary.ts'
import { fileFlags } from '../../node-fixture.ts'
import { containerServer, containersMissingOrShort, named } from './container-server.ts'

const EXAMPLES = fileURLToPath(new URL('../../../../../examples/containers/', import.meta.url))
const missing = containersMissingOrShort()

/** What each example that ends prints. */
const PRINTED: Readonly<Record<string, RegExp>> = {
  'directory.yaml': /^[0-9a-f]{64} {2}\.\/deep\n$/,
  'download.yaml': /^11 \/inputs\/page\n$/,
  'environment.yaml': /^Good morning, world of containers, from \/srv\/greeter\n$/,
  'every-node.yaml': /^Linux\n\d+\n$/,
  'hello.yaml': /^Hello from j-[0-9a-f-]{36}\n$/,
  'limits.yaml': /^68\n$/,
  // The newest of its executions.
  'partitions.yaml': /^(?:one\nfour|two\nfive|three)\n$/,
  'word-count.yaml': /^$/,
}
/** Those that do not. */
const STAYING: Readonly<Record<string, RegExp>> = {
  'watcher.yaml': /^\d+\.\d+ /,
  'web-server.yaml': /^$/,
}

async function page(): Promise<string> {
  const server = createServer((_, answer) => answer.end('hello, cod\n'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

describe.runIf(missing === null)(named('the examples of containers', missing), () => {
  const server = containerServer()

  test('run as they say', { timeout: 400_000 }, async () => {
    await server().addImage('busybox:1.37')
    const session = new ProgramSession(COMMANDS)
    onTestFinished(() => session.close())
    const [directory, host] = [temporaryDirectory(), await page()]
    writeFileSync(join(directory, 'deep'), 'data')
    const config = {
      Engines: { Docker: { Socket: server().socket } },
      Inputs: { AllowedPaths: [directory], AllowedHosts: [host] },
    }
    const { env, directory: repository, url } = await serveNode(temporaryDirectory(), fileFlags(config))
    const told = async (...args: readonly string[]): Promise<string> => {
      const { code, stdout, stderr } = await session.run(args, { env })
      // Of executions that share a job, one is read, which is said.
      const notes = stderr.replace(
        /^Note: this is what execution .* wrote, one of 3 that share the job; .*\n$/,
        '',
      )
      expect([args, code, notes]).toEqual([args, 0, ''])
      return stdout
    }
    const files = readdirSync(EXAMPLES).sort()
    expect(files).toEqual([...Object.keys(PRINTED), ...Object.keys(STAYING)].sort())
    const variables = [`directory=${directory}`, `url=http://${host}/page`].flatMap((pair) => ['-V', pair])
    const ids = new Map<string, string>()
    for (const file of files) {
      const id = await told('job', 'run', '--id-only', '--wait=false', ...variables, join(EXAMPLES, file))
      ids.set(file, id.trim())
    }
    const job = async (file: string): Promise<WireGetJobAnswer> =>
      JSON.parse(await told('job', 'describe', ids.get(file) ?? '', '--output', 'json')) as WireGetJobAnswer
    for (const [file, printed] of Object.entries(PRINTED)) {
      const { Executions } = await eventually(
        () => `${file} completes`,
        async () => {
          const answer = await job(file)
          expect(answer.Job.State.StateType, JSON.stringify(answer.History)).not.toBe('Failed')
          return answer.Job.State.StateType === 'Completed' ? answer : undefined
        },
      )
      expect([file, Executions?.Items.map(({ RunOutput }) => RunOutput?.ExitCode)]).not.toContain(1)
      expect(await told('job', 'logs', ids.get(file) ?? ''), file).toMatch(printed)
    }
    for (const [file, printed] of Object.entries(STAYING)) {
      await eventually(`${file} runs`, async () =>
        (await job(file)).Job.State.StateType === 'Running' ? true : undefined,
      )
      await eventually(`${file} says what it says`, async () =>
        printed.test(await told('job', 'logs', ids.get(file) ?? '')) ? true : undefined,
      )
    }
    const served = await eventually('the page is served', async () =>
      fetch('http://127.0.0.1:28080/').then(
        (answer) => answer.text(),
        () => undefined,
      ),
    )
    expect(served).toBe('Salted and served\n')
    for (const file of Object.keys(STAYING)) await told('job', 'stop', ids.get(file) ?? '')
    const kept = readdirSync(repository, { recursive: true }).map(String)
    const [counts = ''] = kept.filter((path) => path.endsWith('outputs/counts.txt'))
    expect(readFileSync(join(repository, counts), 'utf8')).toMatch(/^ +3 the\n +2 and\n/)
    expect(url).toMatch(/^http/)
  })
})
