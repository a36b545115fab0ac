import { Failure, type Terminal } from '@saltcod/cli-kit'
import { EXIT } from '../../exit-code.ts'
import { authorityCertificate } from '../../tls/authority.ts'
import { loadOrRefuse, type NodeFlags } from '../configuration.ts'

/** Prints the certificate of the repository's own authority. Throws a `Failure` where there is none. */
export function tlsAuthority(terminal: Terminal, flags: NodeFlags): void {
  const { dataDir } = loadOrRefuse(terminal, flags).config
  const certificate = authorityCertificate(dataDir)
  if (certificate === null)
    throw new Failure(EXIT.failed, `${dataDir} has no authority of its own`, {
      hint: 'it is made when a node starts there with `saltcod serve --tls auto`; where a node has a certificate from elsewhere, clients trust the authority that it came from',
    })
  terminal.out(certificate)
}
