import { addCommand, type Terminal } from '@saltcod/cli-kit'
import type { Command } from 'commander'
import { addRepositoryFlag } from './flags.ts'

/** Adds `tls authority`. */
export function addTlsCommands(program: Command, terminal: Terminal): void {
  const tls = addCommand(program, 'tls', {
    description: 'Shows what clients have to trust where a node makes its own certificates.',
    examples: ['saltcod tls authority > saltcod-ca.pem'],
  })
  const authority = addCommand(tls, 'authority', {
    description:
      'Prints the certificate of the authority that a repository has made for itself (serve --tls auto), for clients on other machines. It is no secret.',
    examples: [
      'saltcod tls authority > saltcod-ca.pem',
      'saltcod job list --host node.example --cacert saltcod-ca.pem',
      'BACALHAU_API_TLS_USETLS=true BACALHAU_API_TLS_CAFILE=saltcod-ca.pem bacalhau job list',
      'curl --cacert saltcod-ca.pem https://node.example:1234/api/v1/agent/alive',
    ],
  })
  addRepositoryFlag(authority).action(async (options) => {
    const { tlsAuthority } = await import('./commands/tls-authority.ts')
    tlsAuthority(terminal, options)
  })
}
