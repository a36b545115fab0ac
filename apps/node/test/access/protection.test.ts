import assert from 'node:assert/strict'
import { loadConfig } from '@saltcod/config'
import { expect, test } from 'vitest'
import { flagUses } from '../../../../test/flag-uses.ts'
import { protectionOf } from '../../src/access/protection.ts'

function of(...flags: readonly string[]) {
  const { config, errors } = loadConfig({ flags: flagUses(...flags), env: { HOME: '/nowhere' } })
  assert.ok(config !== undefined, JSON.stringify(errors))
  return protectionOf(config)
}

test('one machine asks for nothing, unless it is told to', () => {
  for (const host of ['127.0.0.1', '127.1.2.3', '::1', '[::1]', 'localhost'])
    assert.deepEqual(of('--host', host), { asksForTokens: false, givenUp: null })
  assert.deepEqual(of('--socket', '/run/x.sock'), { asksForTokens: false, givenUp: null })
  assert.deepEqual(of('--require-tokens'), { asksForTokens: true, givenUp: null })
})

test('an address that others reach is refused without protection, with the ways out', () => {
  for (const host of ['0.0.0.0', '::', '192.168.1.2', 'node.example', '128.0.0.1', '::2'])
    expect(() => of('--host', host), host).toThrow(
      expect.objectContaining({
        exitCode: 2,
        hint: expect.stringMatching(/--tls auto.*--tls-cert FILE --tls-key FILE.*--insecure/) as string,
      }),
    )
})

test('with TLS an address that others reach asks for tokens', () => {
  for (const tls of [
    ['--tls', 'auto'],
    ['--tls-cert', 'c.pem', '--tls-key', 'k.pem'],
  ])
    assert.deepEqual(of('--host', '0.0.0.0', ...tls), { asksForTokens: true, givenUp: null })
})

test('whoever gives all protection up is told what that means', () => {
  const open = of('--host', '0.0.0.0', '--port', '7', '--insecure')
  assert.equal(open.asksForTokens, false)
  assert.match(open.givenUp ?? '', /0\.0\.0\.0:7 is encrypted.*run jobs, read results.*as any compute node/)
  const half = of('--host', '0.0.0.0', '--insecure', '--require-tokens')
  assert.equal(half.asksForTokens, true)
  assert.match(half.givenUp ?? '', /learns tokens/)
})
