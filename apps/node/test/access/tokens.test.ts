import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { ensureOperatorToken, readOperatorToken } from '../../src/access/operator-token.ts'
import { proofOf } from '../../src/access/proof.ts'
import { readCredential, readToken, tokenText } from '../../src/access/token.ts'
import { takeTokenLock } from '../../src/access/token-lock.ts'
import { Tokens } from '../../src/access/tokens.ts'

const DAY_MS = 86_400_000

function open(repository = temporaryDirectory()) {
  const clock = { nowMs: 1_000_000_000_000 }
  return { repository, clock, tokens: new Tokens({ repository, clock: () => clock.nowMs }) }
}

test('a token is taken until it ends, also after a restart, and its secret is nowhere', () => {
  const { repository, clock, tokens } = open()
  const { kept, token } = tokens.create({ role: 'reader', note: 'wall', expiresAtMs: clock.nowMs + DAY_MS })
  const lasting = tokens.create({ role: 'node', note: '', expiresAtMs: null })
  assert.equal(tokens.verify(token), kept)
  assert.equal(tokens.verify({ ...token, secret: lasting.token.secret }), 'unknown')
  assert.equal(tokens.verify({ id: 'nobody', secret: token.secret }), 'unknown')
  const file = join(repository, 'tokens.json')
  assert.equal(statSync(file).mode & 0o777, 0o600)
  for (const { secret } of [token, lasting.token]) assert.ok(!readFileSync(file, 'utf8').includes(secret))
  const again = new Tokens({ repository, clock: () => clock.nowMs })
  assert.deepEqual(again.verify(token), kept)
  clock.nowMs += DAY_MS
  assert.equal(again.verify(token), 'expired')
  assert.equal(again.revoke(lasting.token.id)?.revokedAtMs, clock.nowMs)
  assert.equal(again.verify(lasting.token), 'revoked')
  assert.equal(again.revoke('nobody'), null)
  // Listed for a month, and then gone with the next change.
  clock.nowMs += 31 * DAY_MS
  again.create({ role: 'operator', note: '', expiresAtMs: null })
  assert.equal(again.list().length, 1)
})

test('a file of tokens that is damaged is refused and left alone', () => {
  const { repository, tokens } = open()
  tokens.create({ role: 'reader', note: '', expiresAtMs: null })
  const file = join(repository, 'tokens.json')
  for (const text of [
    '',
    '{',
    '{"version":2,"tokens":[]}',
    readFileSync(file, 'utf8').replace('reader', 'king'),
  ]) {
    writeFileSync(file, text)
    expect(() => open(repository)).toThrow(/tokens\.json cannot be read: it is damaged/)
    assert.equal(readFileSync(file, 'utf8'), text)
  }
})

test('the token of the local command line is made once, and anew where it ended or others could read it', () => {
  const { repository, tokens } = open()
  const path = join(repository, 'operator-token')
  assert.deepEqual(ensureOperatorToken(repository, tokens), [])
  assert.equal(statSync(path).mode & 0o777, 0o600)
  const first = readOperatorToken(repository) ?? ''
  assert.deepEqual(ensureOperatorToken(repository, tokens), [])
  assert.equal(readOperatorToken(repository), first)
  chmodSync(path, 0o644)
  assert.match(ensureOperatorToken(repository, tokens).join(), /could be read by others/)
  assert.equal(tokens.verify(readToken(first) ?? { id: '', secret: '' }), 'revoked')
  const second = readToken(readOperatorToken(repository) ?? '')
  assert.ok(second !== null)
  assert.notEqual(tokenText(second), first)
  tokens.revoke(second.id)
  ensureOperatorToken(repository, tokens)
  assert.notEqual(readOperatorToken(repository), tokenText(second))
})

test('where the token of the local command line cannot be kept there is none, however often that is tried', () => {
  const { repository, tokens } = open()
  const path = join(repository, 'operator-token')
  mkdirSync(join(path, 'full'), { recursive: true })
  for (let tries = 0; tries < 3; tries += 1)
    expect(() => ensureOperatorToken(repository, tokens)).toThrow(/cannot be kept in .*operator-token/)
  assert.deepEqual(tokens.list(), [])
  assert.deepEqual(readdirSync(repository).toSorted(), ['operator-token', 'tokens.json'])
  rmSync(path, { recursive: true })
  assert.deepEqual(ensureOperatorToken(repository, tokens), [])
  assert.equal(tokens.list().length, 1)
})

test('the tokens of a repository belong to one process at a time', () => {
  const { repository } = open()
  const lock = takeTokenLock(repository)
  assert.ok(lock !== null)
  assert.equal(takeTokenLock(repository), null)
  lock.release()
  const again = takeTokenLock(repository)
  assert.ok(again !== null)
  again.release()
})

test('what is no token is none, and what clients show is found', () => {
  const secret = 's'.repeat(43)
  for (const text of [
    '',
    'saltcod1',
    `saltcod1.a.${secret}x`,
    `saltcod1.A.${secret}`,
    `saltcod1.a.${secret}.x`,
  ])
    assert.equal(readToken(text), null, text)
  const joining = `saltcod1.a1.${secret}.${'f'.repeat(43)}`
  assert.deepEqual(readToken(joining), { id: 'a1', secret, fingerprint: 'f'.repeat(43) })
  assert.deepEqual(readCredential(`saltcod1-node.n-1.${secret}`), { nodeId: 'n-1', secret })
  assert.equal(readCredential(joining), null)
  const basic = (pair: string): string => Buffer.from(pair).toString('base64')
  assert.equal(proofOf({ authorization: 'bearer abc' }), 'abc')
  assert.equal(proofOf({ authorization: `Basic ${basic('user:a:b')}` }), 'a:b')
  for (const authorization of [undefined, '', 'abc', 'Bearer', 'Digest abc', 'Bearer a b'])
    assert.equal(proofOf(authorization === undefined ? {} : { authorization }), null)
})
