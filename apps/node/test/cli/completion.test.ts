import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { onTestFinished, test } from 'vitest'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { noopJob, startTestNode } from '../node-fixture.ts'
import { PROGRAM, saltcod } from './binary.ts'

function has(shell: string): boolean {
  return spawnSync(shell, ['-c', 'true']).status === 0
}

/** A directory with files to complete, the scripts of all shells, and `saltcod` in `bin`. */
async function surroundings(port: string) {
  const directory = temporaryDirectory()
  mkdirSync(join(directory, 'bin'))
  const program = join(directory, 'bin/saltcod')
  writeFileSync(program, `#!/bin/sh\nexec ${process.execPath} ${PROGRAM} "$@"\n`)
  chmodSync(program, 0o755)
  writeFileSync(join(directory, 'my job.yaml'), '')
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { stdout } = await saltcod(['completion', shell])
    writeFileSync(join(directory, shell), stdout)
  }
  const env = {
    PATH: `${join(directory, 'bin')}:${process.env['PATH']}`,
    HOME: directory,
    BACALHAU_DIR: join(directory, 'repo'),
    BACALHAU_API_PORT: port,
  }
  // The node answers in this very process, so the shell must not hold it up.
  const lines = async (shell: string, ...args: readonly string[]): Promise<string[]> => {
    const child = spawn(shell, args, { cwd: directory, env })
    let out = ''
    let err = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text
    })
    await new Promise((resolve) => child.on('close', resolve))
    assert.equal(err, '')
    return out.split('\n').filter((line) => line !== '')
  }
  const bash = (...words: readonly string[]): Promise<string[]> =>
    lines(
      'bash',
      '-c',
      `source ./bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _saltcod; printf '%s\\n' "\${COMPREPLY[@]}"`,
      'bash',
      'saltcod',
      ...words,
    )
  return { lines, bash }
}

test.skipIf(!has('bash'))(
  'bash completes commands, flags, their words, job ids and files (needs bash)',
  async () => {
    const node = await startTestNode()
    const id = await node.submit(noopJob({ Name: 'one' }))
    const { bash } = await surroundings(new URL(node.url).port)
    assert.deepEqual(await bash('arch'), ['archive'])
    assert.deepEqual(await bash('job', 'des'), ['describe'])
    assert.deepEqual(await bash('job', 'list', '--sta'), ['--state'])
    assert.deepEqual(await bash('job', 'list', '--state', 'Fa'), ['Failed'])
    assert.deepEqual(await bash('job', 'list', '--output', ''), ['table', 'json', 'ndjson', 'yaml', 'csv'])
    assert.deepEqual(await bash('job', 'list', '--limit', '3', '--output', 'js'), ['json'])
    assert.deepEqual(await bash('job', 'run', 'my'), ['my job.yaml'])
    assert.deepEqual(await bash('job', 'describe', 'j-'), [id])
    assert.deepEqual(await bash('job', 'logs', '-f', id.slice(0, 8)), [id])
    assert.deepEqual(await bash('completion', 'f'), ['fish'])
    assert.deepEqual(await bash('config', 'get', 'API.Po'), ['API.Port'])
    assert.deepEqual(await bash('config', 'get', 'DataD'), ['DataDir'])
    assert.deepEqual(await bash('serve', '--log-level', 'd'), ['debug'])
    assert.deepEqual(await bash('serve', '--node-type', ''), ['requester', 'compute'])
    assert.deepEqual(await bash('job', 'list', '--order-by', 'i'), [])
    assert.deepEqual(await bash('job', 'executions', '--order-by', 'i'), ['id'])
    assert.deepEqual(await bash('job', 'run', '--exit-code', 'p'), ['program'])
    assert.deepEqual(await bash('gc', '--wait-f'), ['--wait-for-node'])
    assert.ok(!(await bash('')).includes('completion-jobs'))
  },
)

test.skipIf(!has('bash'))(
  'a node that is not there, or does not answer, completes no job id (needs bash)',
  async () => {
    const silent = createServer()
    onTestFinished(() => {
      silent.close()
    })
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const address = silent.address()
    const port = typeof address === 'object' && address !== null ? String(address.port) : ''
    const { bash } = await surroundings(port)
    assert.deepEqual(await bash('job', 'describe', 'j-'), [])
    silent.close()
    const { code, stdout, stderr } = await saltcod(['completion-jobs', '--port', '1'])
    assert.deepEqual([code, stdout, stderr], [0, '', ''])
  },
)

test.skipIf(!has('zsh'))('zsh loads its script (needs zsh)', async () => {
  const { lines } = await surroundings('1')
  const script = 'autoload -U compinit && compinit -u -d ./dump && source ./zsh && print $_comps[saltcod]'
  assert.deepEqual(await lines('zsh', '-f', '-c', script), ['_bash_complete -o filenames -F _saltcod'])
})

test.skipIf(!has('fish'))('fish completes commands, words and job ids (needs fish)', async () => {
  const node = await startTestNode()
  const id = await node.submit(noopJob({ Name: 'one' }))
  const { lines } = await surroundings(new URL(node.url).port)
  const offers = (line: string): Promise<string[]> =>
    lines('fish', '--no-config', '-c', `source ./fish; complete -C '${line}'`)
  assert.deepEqual(await offers('saltcod arch'), ['archive'])
  assert.deepEqual(await offers('saltcod job list --state Fa'), ['Failed'])
  assert.deepEqual(await offers('saltcod job describe j-'), [id])
})
