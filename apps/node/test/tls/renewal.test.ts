import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { Agent, request } from 'node:https'
import { text } from 'node:stream/consumers'
import { setImmediate as turn } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { HttpLink } from '../../src/link/http-link.ts'
import { trustOnly } from '../../src/tls/trust.ts'
import { PlayedRequester } from '../link/played-requester.ts'
import { makeNode } from '../requester/scheduler/world.ts'
import { shake } from './ask.ts'
import { authorityOf, autoCertificate, listenSecurely, pinnedTrust } from './secure-listeners.ts'

const DAY_MS = 86_400_000
const MINUTE_MS = 60_000
const HEARTBEAT = { nodeId: 'n-1', load: makeNode('n-1').load, sequence: 5 }
const RENEWALS = 4

async function served(url: string): Promise<X509Certificate> {
  const socket = await shake(url)
  const certificate = socket.getPeerX509Certificate()
  socket.destroy()
  assert.ok(certificate)
  return certificate
}

test('certificates are renewed at two thirds of their life, and at once where the clock was set back', async () => {
  const began = Date.parse('2026-06-01T00:00:00Z')
  let now = began
  const tls = await autoCertificate(temporaryDirectory(), { clock: () => now })
  let renewed = 0
  tls.follow(() => {
    renewed += 1
  })
  const leaf = (): X509Certificate => new X509Certificate(tls.current.cert)
  const first = leaf()
  assert.equal(Date.parse(first.validTo), began + 90 * DAY_MS)
  assert.ok(Date.parse(first.validFrom) < began, 'clocks of clients may be behind')
  assert.deepEqual(first.keyUsage, ['1.3.6.1.5.5.7.3.1'])
  now = began + 60 * DAY_MS - 1
  await tls.look()
  assert.equal(renewed, 0)
  now += 1
  await Promise.all([tls.look(), tls.look()])
  assert.equal(renewed, 1)
  assert.equal(Date.parse(leaf().validTo), now + 90 * DAY_MS)
  assert.notEqual(
    leaf().publicKey.export({ type: 'spki', format: 'pem' }),
    first.publicKey.export({ type: 'spki', format: 'pem' }),
  )
  now = began
  await tls.look()
  assert.equal(renewed, 2)
  // The authority itself is renewed with them, and is the same.
  const [fingerprint, proof] = [authorityOf(tls), tls.proof]
  now = began + 9 * 366 * DAY_MS
  await tls.look()
  assert.notEqual(tls.proof, proof)
  assert.equal(authorityOf(tls), fingerprint)
  assert.ok(leaf().checkIssued(new X509Certificate(tls.proof)))
  assert.ok(leaf().verify(new X509Certificate(proof).publicKey))
})

test('nobody notices a renewal: neither who is connected nor who connects', async () => {
  // Clients go by the clock of the machine, and take what is good from an hour before its beginning on.
  let now = Date.now()
  const tls = await autoCertificate(temporaryDirectory(), { clock: () => now, lifeMs: 10 * MINUTE_MS })
  const played = new PlayedRequester()
  const { url } = await listenSecurely(tls, { link: played })
  const proof = trustOnly(tls.proof)
  const kept = new Agent({ keepAlive: true, maxSockets: 4 })
  onTestFinished(() => kept.destroy())
  const over = { now: false }
  const serials = new Set<string>()
  let asked = 0
  const ask = async (agent: Agent | false): Promise<void> => {
    const response = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
      request(url, { ...proof, agent }, resolve)
        .on('error', reject)
        .end()
    })
    assert.equal(await text(response), 'answered')
    asked += 1
  }
  const asking = Array.from({ length: 6 }, async (_, at) => {
    while (!over.now) await ask(at < 3 ? kept : false)
  })
  const beating = Array.from({ length: 4 }, async () => {
    const link = new HttpLink([url], { trust: pinnedTrust(authorityOf(tls)) })
    onTestFinished(() => link.close())
    while (!over.now) await link.heartbeat(HEARTBEAT)
  })
  const held = await shake(url, { ...proof, rejectUnauthorized: true })
  for (let renewal = 0; renewal < RENEWALS; renewal += 1) {
    serials.add((await served(url)).serialNumber)
    now += 7 * MINUTE_MS
    await tls.look()
    const seen = asked
    while (asked < seen + 10) await turn()
  }
  over.now = true
  await Promise.all([...asking, ...beating])
  assert.equal(serials.size, RENEWALS)
  held.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
  expect(await text(held)).toMatch(/answered$/)
})
