import 'reflect-metadata'
import { type KeyObject, randomBytes, webcrypto } from 'node:crypto'
import { isIP } from 'node:net'
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  cryptoProvider,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509'

// Loaded only where a certificate is made: it takes a quarter of a second and some megabytes.
cryptoProvider.set(webcrypto)

/** What all keys of an authority and its certificates are. */
const KEY_ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

/** From when to when a certificate is good, in milliseconds since 1970. */
export interface Validity {
  readonly fromMs: number
  readonly untilMs: number
}

type KeyPair = webcrypto.CryptoKeyPair

/** Makes a certificate by which an authority vouches for itself, and returns it as PEM. */
export async function issueAuthority(key: KeyObject, name: string, validity: Validity): Promise<string> {
  const keys = await pairOf(key)
  const certificate = await X509CertificateGenerator.createSelfSigned({
    ...partsOf(validity),
    name: [{ CN: [name] }],
    signingAlgorithm: KEY_ALGORITHM,
    keys,
    extensions: [
      // It vouches for certificates of servers, and for no further authority.
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return `${certificate.toString('pem')}\n`
}

/** A key and what vouches for it, each as PEM. */
export interface IssuedCertificate {
  readonly key: string
  readonly certificate: string
}

/** Makes a key and a certificate for a server that is found by some names and addresses. */
export async function issueServer(
  authority: { readonly key: KeyObject; readonly certificate: string },
  names: readonly string[],
  validity: Validity,
): Promise<IssuedCertificate> {
  const issuer = new X509Certificate(authority.certificate)
  const keys = (await webcrypto.subtle.generateKey(KEY_ALGORITHM, true, ['sign', 'verify'])) as KeyPair
  const certificate = await X509CertificateGenerator.create({
    ...partsOf(validity),
    subject: [{ CN: ['Saltcod node'] }],
    issuer: issuer.subjectName,
    publicKey: keys.publicKey,
    signingKey: (await pairOf(authority.key)).privateKey,
    signingAlgorithm: KEY_ALGORITHM,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension(
        names.map((name) => ({ type: isIP(name) === 0 ? ('dns' as const) : ('ip' as const), value: name })),
      ),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      await AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ],
  })
  const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64')
  return {
    key: `-----BEGIN PRIVATE KEY-----\n${key}\n-----END PRIVATE KEY-----\n`,
    certificate: `${certificate.toString('pem')}\n`,
  }
}

function partsOf({ fromMs, untilMs }: Validity) {
  // A number that nobody can guess, and a positive one.
  const serialNumber = `01${randomBytes(15).toString('hex')}`
  return { serialNumber, notBefore: new Date(fromMs), notAfter: new Date(untilMs) }
}

async function pairOf(key: KeyObject): Promise<KeyPair> {
  const { subtle } = webcrypto
  const { kty = 'EC', crv, x, y, d } = key.export({ format: 'jwk' })
  const shared = { kty, crv, x, y } as webcrypto.JsonWebKey
  return {
    privateKey: await subtle.importKey('jwk', { ...shared, d } as webcrypto.JsonWebKey, KEY_ALGORITHM, true, [
      'sign',
    ]),
    publicKey: await subtle.importKey('jwk', shared, KEY_ALGORITHM, true, ['verify']),
  }
}
