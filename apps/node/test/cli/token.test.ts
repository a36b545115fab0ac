import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, test } from 'vitest'
import { ProgramSession } from '../../../../test/program-session.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import type { ListedToken } from '../../src/access/token-answer.ts'
import { startAccessNode } from '../access/access-node.ts'
import { COMMANDS, saltcod } from './binary.ts'

let session: ProgramSession

beforeAll(() => {
  session = new ProgramSession(COMMANDS)
})

afterAll(async () => {
  await session.close()
})

const run: ProgramSession['run'] = (args, options) => session.run(args, options)

test('a node that would be open to others is not started, and nothing is written', async () => {
  const directory = join(temporaryDirectory(), 'repository')
  const { code, stderr } = await saltcod(['serve', '--host', '0.0.0.0', '--port', '0', '--repo', directory])
  assert.equal(code, 2)
  assert.match(stderr, /Error: 0\.0\.0\.0 is reached from other machines.*\nHint: .*--tls auto.*--insecure/)
  assert.ok(!existsSync(directory))
})

test('tokens are made, listed and revoked without a node, and are those of the next one', async () => {
  const directory = join(temporaryDirectory(), 'repository')
  const repository = ['--repo', directory]
  const made = await run([
    'token',
    'create',
    '--role',
    'operator',
    '--note',
    'laptop',
    '--expires',
    '1h',
    ...repository,
  ])
  assert.match(made.stdout, /^saltcod1\.[a-z0-9]{8}\.[\w-]{43}\n$/)
  assert.match(made.stderr, /^Note: no node that asks for tokens serves /)
  const listed = await run(['token', 'list', ...repository])
  assert.match(listed.stdout, /^ID +ROLE +STATE +MADE +EXPIRES +NOTE\n\w{8} +operator +valid .* laptop\n$/)
  const [, id = ''] = made.stdout.split('.')
  assert.equal((await run(['token', 'revoke', id, ...repository])).stdout, 'Ok\n')
  assert.match((await run(['token', 'list', ...repository])).stdout, / revoked /)
  const missing = await run(['token', 'revoke', 'nobody', ...repository])
  assert.equal(missing.code, 1)
  assert.match(missing.stderr, /Error: token not found: nobody\nHint: /)
  assert.equal((await run(['token', 'create', ...repository])).code, 2)
  assert.deepEqual(readdirSync(directory).sort(), ['tokens.json', 'tokens.lock'])
})

test('with a node the command line asks it, by the token of its repository or by one that is named', async () => {
  const node = await startAccessNode()
  const port = ['--port', new URL(node.url).port]
  const own = [...port, '--repo', node.directory]
  const made = await run(['token', 'create', '--role', 'reader', ...own])
  assert.equal(made.stderr, '')
  const file = join(temporaryDirectory(), 'reader.token')
  writeFileSync(file, made.stdout)
  const elsewhere = [...port, '--repo', temporaryDirectory()]
  const list = ['job', 'list', ...elsewhere]
  const refused = await run(list)
  assert.equal(refused.code, 1)
  assert.match(
    refused.stderr,
    /Unauthorized: this node asks for a token.*\nHint: .*--token FILE.*operator-token: name the repository of the node with --repo, or/,
  )
  for (const env of [{ SALTCOD_TOKEN: made.stdout }, { BACALHAU_API_KEY: made.stdout.trim() }])
    assert.equal((await run(list, { env })).code, 0)
  const basic = { BACALHAU_API_USERNAME: 'me', BACALHAU_API_PASSWORD: made.stdout.trim() }
  assert.equal((await run(list, { env: basic })).code, 0)
  const named = [...elsewhere, '--token', file]
  assert.equal((await run(['job', 'list', ...named])).code, 0)
  const forbidden = await run(['token', 'list', ...named])
  assert.match(forbidden.stderr, /Forbidden: a token of the role reader does not allow this/)
  assert.equal((await run(list, { env: { SALTCOD_TOKEN: 'a\u0001b' } })).code, 2)
  const nothing = await run(['job', 'list', ...elsewhere, '--token', '/nowhere/token'])
  assert.match(nothing.stderr, /Error: the token in \/nowhere\/token cannot be read: there is no such file\n/)
  const tokens = JSON.parse(
    (await run(['token', 'list', '--output', 'json', ...own])).stdout,
  ) as ListedToken[]
  const reader = tokens.find(({ Role }) => Role === 'reader')
  assert.equal((await run(['token', 'revoke', reader?.ID ?? '', ...own])).stdout, 'Ok\n')
  assert.match((await run(['job', 'list', ...named])).stderr, /the token that was shown was revoked/)
})

test('a token that stands where a file or an id belongs is not repeated, and what was meant is done or said', async () => {
  const node = await startAccessNode()
  const own = ['--port', new URL(node.url).port, '--repo', node.directory]
  const token = (await run(['token', 'create', '--role', 'reader', ...own])).stdout.trim()
  const secret = token.split('.')[2] ?? ''
  const asFile = await run(['job', 'list', ...own, '--token', token])
  assert.equal(asFile.code, 2)
  assert.match(
    asFile.stderr,
    /Error: the token was given itself in place of a file that holds it\nHint: write it into a file/,
  )
  const join = [
    'serve',
    '--node-type',
    'compute',
    '--orchestrators',
    'https://127.0.0.1:1',
    '--join-token',
    token,
  ]
  const joined = await saltcod([...join, '--repo', temporaryDirectory()])
  assert.equal(joined.code, 2)
  assert.match(joined.stderr, /Error: the token to join with was given itself/)
  const cut = await run(['token', 'revoke', token.slice(0, -9), ...own])
  assert.match(cut.stderr, /Error: token not found: saltcod1\.\w{8}\.…\n/)
  const alone = await run(['token', 'revoke', token.slice(0, -9), '--repo', temporaryDirectory()])
  assert.match(alone.stderr, /Error: token not found: saltcod1\.\w{8}\.…\n/)
  // Whoever has a token that leaked has its id too.
  assert.equal((await run(['token', 'revoke', token, ...own])).stdout, 'Ok\n')
  assert.match((await run(['token', 'list', ...own])).stdout, / reader +revoked /)
  for (const { stderr, stdout } of [asFile, joined, cut, alone])
    assert.ok(!`${stderr}${stdout}`.includes(secret.slice(0, 9)))
})

test('a directory in place of a secret, and a life that is none, are named for what they are', async () => {
  const directory = temporaryDirectory()
  const shown = await run(['job', 'list', '--repo', directory, '--token', directory])
  assert.match(shown.stderr, /Error: the token in \S+ cannot be read: it is a directory\n/)
  const serve = [
    'serve',
    '--node-type',
    'compute',
    '--orchestrators',
    'https://127.0.0.1:1',
    '--node-id',
    'n-1',
  ]
  const join = await saltcod([...serve, '--join-token', directory, '--repo', temporaryDirectory()])
  assert.match(
    join.stderr,
    /Error: the token to join with in \S+ cannot be read: it is a directory\nHint: bring it here/,
  )
  const repository = temporaryDirectory()
  mkdirSync(`${repository}/n-1-credential`)
  const credential = await saltcod([...serve, '--repo', repository])
  assert.match(
    credential.stderr,
    /Error: the credential of this node in \S+ cannot be used: it is a directory\n/,
  )
  mkdirSync(`${directory}/tls/authority-key.pem`, { recursive: true })
  const authorities = await run(['job', 'list', '--repo', repository, '--cacert', directory])
  assert.match(authorities.stderr, /Error: the authorities in \S+ cannot be read: it is a directory\n/)
  const own = temporaryDirectory()
  mkdirSync(`${own}/operator-token`)
  const operator = await saltcod(['serve', '--require-tokens', '--port', '0', '--repo', own])
  assert.match(
    operator.stderr,
    /cannot be kept in \S+operator-token: it is a directory\nHint: .*move away what is in the place/,
  )
  const key = await saltcod(['serve', '--tls', 'auto', '--port', '0', '--repo', directory])
  assert.match(
    key.stderr,
    /Error: the authority of this repository cannot be used: \S+ is a directory\nHint: /,
  )
  for (const life of ['0s', '4000d']) {
    const made = await run(['token', 'create', '--role', 'reader', '--expires', life, '--repo', repository])
    assert.equal(made.code, 2)
    assert.match(made.stderr, /longer than nothing, and ten years/)
  }
})
