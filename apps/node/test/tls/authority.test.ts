import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { authorityCertificate, authorityFingerprint, openAuthority } from '../../src/tls/authority.ts'

const NOW = Date.parse('2026-06-01T00:00:00Z')
const YEAR_MS = 365.25 * 86_400_000

function paths(repository: string) {
  const directory = join(repository, 'tls')
  return { key: join(directory, 'authority-key.pem'), certificate: join(directory, 'authority-cert.pem') }
}

test('an authority is made once, for its user alone, and is the same ever after', async () => {
  const repository = temporaryDirectory()
  assert.equal(authorityCertificate(repository), null)
  assert.equal(authorityFingerprint(repository), null)
  const made = await openAuthority(repository, NOW)
  const { key, certificate } = paths(repository)
  assert.equal(statSync(join(repository, 'tls')).mode & 0o777, 0o700)
  for (const path of [key, certificate]) assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.deepEqual(readdirSync(join(repository, 'tls')), ['authority-cert.pem', 'authority-key.pem'])
  const again = await openAuthority(repository, NOW + YEAR_MS)
  assert.equal(again.certificate, made.certificate)
  assert.match(made.fingerprint, /^[\w-]{43}$/)
  assert.equal(authorityFingerprint(repository), made.fingerprint)
  assert.equal(authorityCertificate(repository), made.certificate)
})

test('the certificate of an authority is made anew with its key before it ends, or where it is gone', async () => {
  const repository = temporaryDirectory()
  const made = await openAuthority(repository, NOW)
  const later = NOW + 9 * YEAR_MS
  const renewed = await openAuthority(repository, later)
  assert.notEqual(renewed.certificate, made.certificate)
  assert.equal(renewed.fingerprint, made.fingerprint)
  const { validTo, ca, subject } = new X509Certificate(renewed.certificate)
  assert.ok(ca && Date.parse(validTo) > later + 9 * YEAR_MS)
  assert.equal(subject, new X509Certificate(made.certificate).subject)
  rmSync(paths(repository).certificate)
  assert.equal((await openAuthority(repository, later)).fingerprint, made.fingerprint)
})

test('an authority that cannot be used is refused, and none takes its place', async () => {
  const [repository, other] = [temporaryDirectory(), temporaryDirectory()]
  await openAuthority(repository, NOW)
  await openAuthority(other, NOW)
  const { key, certificate } = paths(repository)
  const [ownKey, ownCertificate] = [readFileSync(key), readFileSync(certificate)]
  const refused = async (message: RegExp): Promise<void> => {
    const before = readFileSync(certificate)
    await expect(openAuthority(repository, NOW)).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(message) as string,
      hint: expect.any(String) as string,
    })
    assert.deepEqual(readFileSync(certificate), before)
  }
  writeFileSync(certificate, readFileSync(paths(other).certificate))
  await refused(/authority-cert\.pem is not the certificate of \S+authority-key\.pem$/)
  writeFileSync(certificate, '-----BEGIN CERTIFICATE-----\nnone\n')
  await refused(/authority-cert\.pem cannot be read: /)
  writeFileSync(certificate, ownCertificate)
  chmodSync(key, 0o640)
  await refused(/authority-key\.pem can be read by others/)
  chmodSync(key, 0o600)
  writeFileSync(key, 'none')
  await refused(/authority-key\.pem cannot be read: /)
  rmSync(key)
  await refused(/authority-key\.pem is gone/)
  mkdirSync(key)
  await refused(/authority-key\.pem is a directory$/)
  rmSync(key, { recursive: true })
  writeFileSync(key, ownKey, { mode: 0o600 })
  assert.equal((await openAuthority(repository, NOW)).certificate, ownCertificate.toString())
})
