import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer as createPlainServer } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import type { ConnectionOptions } from 'node:tls'
import type { Config } from '@saltcod/config'
import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { HttpLink } from '../../src/link/http-link.ts'
import { fixedTrust, type LinkTrust } from '../../src/link/link-trust.ts'
import { openAuthority } from '../../src/tls/authority.ts'
import { requesterTrust } from '../../src/tls/requester-trust.ts'
import { TRUST_OF_SYSTEM, trustIn } from '../../src/tls/trust.ts'
import { PlayedRequester } from '../link/played-requester.ts'
import { makeNode } from '../requester/scheduler/world.ts'
import { authorityOf, autoCertificate, listenSecurely, pinnedTrust } from './secure-listeners.ts'

const HEARTBEAT = { nodeId: 'n-1', load: makeNode('n-1').load, sequence: 5 }
const YEAR_MS = 365.25 * 86_400_000

function linkTo(addresses: readonly [string, ...string[]], trust: LinkTrust): HttpLink {
  const link = new HttpLink(addresses, { trust })
  onTestFinished(() => link.close())
  return link
}

async function requester(
  repository: string = temporaryDirectory(),
  port = 0,
  clock: () => number = Date.now,
) {
  const played = new PlayedRequester()
  const tls = await autoCertificate(repository, { clock })
  return { ...(await listenSecurely(tls, { link: played, port })), tls, heard: played.heard, repository }
}

test('a node that joined by a fingerprint knows its requester for ever, at whatever address', async () => {
  const repository = temporaryDirectory()
  const path = join(temporaryDirectory(), 'tls/n-1-requester.pem')
  const first = await requester(repository)
  const fingerprint = authorityOf(first.tls)
  await linkTo([first.url], pinnedTrust(fingerprint, path)).heartbeat(HEARTBEAT)
  assert.equal(readFileSync(path, 'latin1'), first.tls.proof)
  first.close()
  // Another address, another certificate, and a node that was started again.
  const moved = await requester(repository)
  await linkTo([first.url, moved.url], pinnedTrust(fingerprint, path))
    .heartbeat(HEARTBEAT)
    .catch(() => undefined)
  const again = linkTo([moved.url.replace('127.0.0.1', 'localhost')], pinnedTrust(fingerprint, path))
  await again.heartbeat(HEARTBEAT)
  assert.equal(moved.heard.length, 1)
})

test('an authority whose certificate was made anew with its key is the same one', async () => {
  const repository = temporaryDirectory()
  const path = join(temporaryDirectory(), 'requester.pem')
  // One that has ended for the node.
  const { fingerprint, certificate } = await openAuthority(repository, Date.now() - 11 * YEAR_MS)
  writeFileSync(path, certificate)
  const { url, heard, tls } = await requester(repository)
  const link = linkTo([url], pinnedTrust(fingerprint, path))
  await expect(link.heartbeat(HEARTBEAT)).rejects.toMatchObject({ code: 'LINK_UNTRUSTED' })
  await link.heartbeat(HEARTBEAT)
  assert.equal(heard.length, 1)
  assert.equal(readFileSync(path, 'latin1'), tls.proof)
})

test('another requester, or somebody between, is told nothing', async () => {
  const [own, other] = [await requester(), await requester()]
  const path = join(temporaryDirectory(), 'requester.pem')
  const fingerprint = authorityOf(own.tls)
  const refused = { code: 'LINK_UNTRUSTED', message: expect.stringContaining(other.url.slice(8)) as string }
  await expect(
    linkTo([other.url], pinnedTrust(fingerprint, path)).heartbeat(HEARTBEAT),
  ).rejects.toMatchObject(refused)
  assert.equal(existsSync(path), false)
  // Also where it was known before.
  const link = linkTo([own.url], pinnedTrust(fingerprint, path))
  await link.heartbeat(HEARTBEAT)
  await expect(
    linkTo([other.url], pinnedTrust(fingerprint, path)).heartbeat(HEARTBEAT),
  ).rejects.toMatchObject(refused)
  // Who shows the right authority beside a certificate of another one.
  const forged = { cert: `${other.tls.current.cert}${own.tls.proof}`, key: other.tls.current.key }
  const played = new PlayedRequester()
  const forger = await listenSecurely(
    { ...STANDING, current: forged, proof: own.tls.proof },
    { link: played },
  )
  const tricked = linkTo([forger.url], pinnedTrust(fingerprint))
  for (let time = 0; time < 3; time += 1)
    await expect(tricked.heartbeat(HEARTBEAT)).rejects.toMatchObject({ code: 'LINK_UNTRUSTED' })
  assert.deepEqual([other.heard, played.heard], [[], []])
  assert.equal(own.heard.length, 1)
})

const STANDING = {
  ends: [],
  follow: () => undefined,
  look: () => Promise.resolve(),
  close: () => undefined,
}

test('a way that proves nothing is left for the next one', async () => {
  const [own, other] = [await requester(), await requester()]
  const link = linkTo([other.url, own.url], pinnedTrust(authorityOf(own.tls)))
  await expect(link.heartbeat(HEARTBEAT)).rejects.toMatchObject({ code: 'LINK_UNTRUSTED' })
  await link.heartbeat(HEARTBEAT)
  assert.deepEqual([own.heard.length, other.heard.length], [1, 0])
})

test('a requester that joined nobody is known by its name and an authority that is told, or by none', async () => {
  const { url, tls, heard } = await requester()
  const file = join(temporaryDirectory(), 'ca.pem')
  writeFileSync(file, tls.proof)
  const options: ConnectionOptions = trustIn(file)
  await linkTo([url], fixedTrust(options)).heartbeat(HEARTBEAT)
  const refuse = async (trust: ConnectionOptions, reason: RegExp) =>
    await expect(linkTo([url], fixedTrust(trust)).heartbeat(HEARTBEAT)).rejects.toMatchObject({
      code: 'LINK_UNTRUSTED',
      message: expect.stringMatching(reason) as string,
    })
  await refuse(TRUST_OF_SYSTEM, /authority that is not trusted here; join it by a token \(.*--cacert/)
  await refuse({ ...options, servername: 'elsewhere.example', host: '127.0.0.1' }, /for other names/)
  assert.equal(heard.length, 1)
})

test('nothing is said in the open to what speaks no TLS, and nothing answered there', async () => {
  const heard: string[] = []
  const plain = createPlainServer((request, response) => {
    heard.push(request.url ?? '')
    response.end('{"answer":{}}')
  })
  const raw = createServer((socket) => {
    socket.on('data', (bytes: Buffer) => heard.push(bytes.toString('latin1'))).on('error', () => undefined)
    socket.end('HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{"answer":{}}')
  })
  for (const server of [plain, raw]) {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
    for (const trust of [fixedTrust(TRUST_OF_SYSTEM), pinnedTrust('none')])
      await expect(linkTo([url], trust).heartbeat(HEARTBEAT)).rejects.toMatchObject({ name: 'LinkError' })
  }
  assert.ok(heard.length > 0 && heard.every((text) => !text.includes('n-1') && !text.includes('link')))
  const own = await requester()
  const open = new HttpLink([own.url.replace('https:', 'http:')])
  onTestFinished(() => open.close())
  await expect(open.heartbeat(HEARTBEAT)).rejects.toMatchObject({ code: 'LINK_CLOSED' })
  assert.deepEqual(own.heard, [])
})

test('a token to join that names no authority is suspected where the one of the requester is not known', async () => {
  const { url } = await requester()
  const trust = requesterTrust({
    config: { dataDir: temporaryDirectory(), api: { tls: {} } as Config['api'] },
    nodeId: 'n-1',
    fingerprint: null,
    hasToken: true,
    log: pino({ level: 'silent' }),
  })
  await expect(linkTo([url], trust).heartbeat(HEARTBEAT)).rejects.toMatchObject({
    code: 'LINK_UNTRUSTED',
    message: expect.stringMatching(
      /the token to join with names no authority: either it is of another role/,
    ) as string,
  })
})
