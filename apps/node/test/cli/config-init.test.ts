import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, test } from 'vitest'
import { ProgramSession } from '../../../../test/program-session.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { COMMANDS } from './binary.ts'

let session: ProgramSession

beforeAll(() => {
  session = new ProgramSession(COMMANDS)
})

afterAll(async () => await session.close())

test('config init writes every default where a node reads it, and overwrites only when it is told to', async () => {
  const repository = join(temporaryDirectory(), 'not/yet/there')
  const path = join(repository, 'saltcod.yaml')
  const env = { BACALHAU_DIR: repository }
  const first = await session.run(['config', 'init'], { env })
  assert.deepEqual([first.code, first.stdout, first.stderr], [0, `wrote ${path}\n`, ''])
  assert.equal(statSync(repository).mode & 0o777, 0o700)
  assert.equal(statSync(path).mode & 0o777, 0o600)
  const shown = await session.run(['config', 'default'], { env })
  const defaults = shown.stdout.replace('\nDataDir:', '\n# DataDir:')
  assert.equal(readFileSync(path, 'utf8'), defaults)
  assert.equal((await session.run(['config', 'list'], { env })).code, 0)

  writeFileSync(path, 'Nonsense: [')
  const second = await session.run(['config', 'init'], { env })
  assert.equal(second.code, 2)
  assert.match(second.stderr, /saltcod\.yaml is there already\nHint: --force overwrites it/)
  assert.equal(readFileSync(path, 'utf8'), 'Nonsense: [')
  const forced = await session.run(['config', 'init', '--force', '--repo', repository])
  assert.equal(forced.code, 0, forced.stderr)
  assert.equal(readFileSync(path, 'utf8'), defaults)
  assert.equal(statSync(path).mode & 0o777, 0o600)
})

test('config init says what is in its way', async () => {
  const directory = temporaryDirectory()
  writeFileSync(join(directory, 'file'), '')
  const inFile = await session.run(['config', 'init', '--repo', join(directory, 'file/repo')])
  assert.equal(inFile.code, 2)
  assert.match(inFile.stderr, /cannot use .*file/)
  symlinkSync('/none/volume', join(directory, 'link'))
  const atLink = await session.run(['config', 'init', '--repo', join(directory, 'link')])
  assert.equal(atLink.code, 2)
  assert.match(
    atLink.stderr,
    /cannot use .*link: something else is there, or a symbolic link that leads nowhere/,
  )
  mkdirSync(join(directory, 'repo/saltcod.yaml'), { recursive: true })
  assert.equal((await session.run(['config', 'init', '--repo', join(directory, 'repo')])).code, 2)
})
