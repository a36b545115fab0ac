import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { chmodSync, mkdirSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { openAuthority } from '../../src/tls/authority.ts'
import { FileCertificate } from '../../src/tls/file-certificate.ts'
import { issueServer } from '../../src/tls/issue.ts'
import { trustOnly } from '../../src/tls/trust.ts'
import { shake } from './ask.ts'
import { listenSecurely } from './secure-listeners.ts'

const DAY_MS = 86_400_000
const NOW = Date.now()

async function files() {
  const directory = temporaryDirectory()
  const authority = await openAuthority(temporaryDirectory(), NOW)
  const lines: { readonly level: number; readonly msg: string; readonly reason?: string }[] = []
  const log = pino({ base: null }, { write: (line: string) => lines.push(JSON.parse(line)) })
  const [certFile, keyFile] = [join(directory, 'cert.pem'), join(directory, 'key.pem')]
  const pair = async (untilMs = NOW + 30 * DAY_MS) => {
    const { certificate, key } = await issueServer(authority, ['localhost', '127.0.0.1'], {
      fromMs: NOW - DAY_MS,
      untilMs,
    })
    return {
      cert: `${certificate}${authority.certificate}`,
      key,
      serial: new X509Certificate(certificate).serialNumber,
    }
  }
  const write = ({ cert, key }: { readonly cert: string; readonly key: string }): void => {
    writeFileSync(certFile, cert)
    writeFileSync(keyFile, key, { mode: 0o600 })
  }
  const open = (): FileCertificate => {
    const tls = new FileCertificate({ certFile, keyFile, clock: () => NOW, log })
    onTestFinished(() => tls.close())
    return tls
  }
  return { certFile, keyFile, lines, pair, write, open }
}

/** Files are looked at until they have stayed the same. */
async function settle(tls: FileCertificate): Promise<void> {
  await tls.look()
  await tls.look()
}

test('a new certificate in the files is served to who connects, and who is connected goes on', async () => {
  const { pair, write, open, certFile, keyFile, lines } = await files()
  const [first, second, third] = [await pair(), await pair(), await pair()]
  write(first)
  const tls = open()
  const { url } = await listenSecurely(tls)
  const served = async (): Promise<string | undefined> => {
    const socket = await shake(url, { ...trustOnly(tls.proof), rejectUnauthorized: true })
    onTestFinished(() => void socket.destroy())
    return socket.getPeerX509Certificate()?.serialNumber
  }
  assert.equal(await served(), first.serial)
  const held = await shake(url)
  // The one file a good while before the other.
  writeFileSync(certFile, second.cert)
  await tls.look()
  assert.equal(await served(), first.serial)
  writeFileSync(keyFile, second.key)
  await settle(tls)
  assert.equal(await served(), second.serial)
  assert.deepEqual(
    lines.filter(({ level }) => level > 30),
    [],
  )
  held.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
  expect(await text(held)).toMatch(/answered$/)
  // Exchanged as a whole.
  writeFileSync(`${certFile}.new`, third.cert)
  writeFileSync(`${keyFile}.new`, third.key, { mode: 0o600 })
  renameSync(`${certFile}.new`, certFile)
  renameSync(`${keyFile}.new`, keyFile)
  await settle(tls)
  assert.equal(await served(), third.serial)
})

test('a pair that is none is not taken and said once, and the one before goes on', async () => {
  const { pair, write, open, certFile, keyFile, lines } = await files()
  const [good, other, ended] = [await pair(), await pair(), await pair(NOW - 1)]
  write(good)
  const tls = open()
  const refused = async (reason: RegExp): Promise<void> => {
    lines.length = 0
    for (let look = 0; look < 3; look += 1) await settle(tls)
    assert.equal(lines.length, 1, JSON.stringify(lines))
    assert.match(lines[0]?.reason ?? '', reason)
    assert.equal(tls.current.cert, good.cert)
  }
  writeFileSync(keyFile, other.key)
  await refused(/key\.pem is not the key of the certificate in \S+cert\.pem$/)
  writeFileSync(certFile, 'nothing')
  await refused(/cert\.pem holds no certificate$/)
  writeFileSync(certFile, good.cert.slice(0, 200))
  await refused(/cert\.pem holds no certificate$/)
  write(ended)
  await refused(/^it ended on /)
  write({ ...good, key: 'nothing' })
  await refused(/./)
  rmSync(certFile)
  await refused(/cert\.pem cannot be read: there is no such file/)
  write(other)
  await settle(tls)
  assert.equal(tls.current.cert, other.cert)
})

test('a node does not start with files that hold no pair, and says which', async () => {
  const { pair, write, open, certFile, keyFile, lines } = await files()
  const [good, ended] = [await pair(), await pair(NOW - 1)]
  const refused = (message: RegExp): void => {
    expect(open).toThrow(
      expect.objectContaining({ exitCode: 2, message: expect.stringMatching(message) as string }) as Error,
    )
  }
  refused(/^the certificate cannot be used: \S+cert\.pem cannot be read: there is no such file/)
  mkdirSync(certFile)
  refused(/^the certificate cannot be used: \S+cert\.pem cannot be read: it is a directory/)
  rmdirSync(certFile)
  write(good)
  writeFileSync(keyFile, (await pair()).key)
  refused(/is not the key of/)
  write({ ...good, cert: '' })
  refused(new RegExp(`${certFile} holds no certificate`))
  // One that has ended is nobody's harm but its own: the jobs of the node go on.
  write(ended)
  assert.ok((open().ends[0]?.untilMs ?? NOW) < NOW)
  chmodSync(keyFile, 0o644)
  open()
  assert.ok(lines.some(({ msg }) => msg.includes('can be read by everybody')))
})
