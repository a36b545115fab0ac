import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PROGRAM } from '../cli/binary.ts'
import { OFFICIAL, OFFICIAL_TOOLS, type Release } from '../official-programs.ts'

/** Whether a program of ours serves, or one of Bacalhau. */
export type Whose = 'ours' | 'theirs'

/** Where commands find their server. */
export const DAY_PORT = 1341
/** Where a requester of Bacalhau waits for its compute nodes: in each release its default. */
const LINK_PORT = 4222

function place(directory: string, name: string): string {
  const path = join(directory, name)
  mkdirSync(path, { recursive: true })
  return path
}

const ours = (directory: string, name: string, port: number, ...flags: readonly string[]): string[] => [
  ...[process.execPath, PROGRAM, 'serve', '--repo', place(directory, `repo-${name}`)],
  ...['--port', String(port), '--name', name, ...flags],
]

/** Where a server keeps what its clients trust it by, and what they show it. */
export interface Guard {
  readonly authority: string
  readonly token: string
}

/** The command of a node of ours called lisbon, as it is on a network: with TLS, and asking for tokens. */
export function guardedServer(directory: string): {
  readonly server: readonly string[]
  readonly guard: Guard
} {
  const repository = place(directory, 'repo-lisbon')
  return {
    server: ours(directory, 'lisbon', DAY_PORT, '--tls', 'auto', '--require-tokens'),
    guard: {
      authority: join(repository, 'tls/authority-cert.pem'),
      token: join(repository, 'operator-token'),
    },
  }
}

/** The command of a node with both roles, called lisbon. */
export function oneServer(release: Release, whose: Whose, directory: string): readonly string[] {
  if (whose === 'ours') return ours(directory, 'lisbon', DAY_PORT)
  const repository = place(directory, 'repo')
  if (release === '1.9.3') {
    const config = join(OFFICIAL_TOOLS, 'node-1.9.3.yaml')
    return [OFFICIAL, '1.9.3', 'serve', '--data-dir', repository, '-c', config, '--name', 'lisbon']
  }
  return [
    ...[OFFICIAL, '1.4.0', 'serve', '--repo', repository, '--node-type', 'compute,requester'],
    ...['--host', '127.0.0.1', '--port', String(DAY_PORT), '--name', 'lisbon'],
    ...['--local-publisher-address', '127.0.0.1', '--job-selection-accept-networked'],
  ]
}

/** The commands of a requester called lisbon, and of two compute nodes. */
export function networkServers(
  release: Release,
  whose: Whose,
  directory: string,
): readonly (readonly string[])[] {
  const computes = ['porto', 'faro'].map((name, at) => ({ name, port: DAY_PORT + 1 + at }))
  if (whose === 'ours') {
    const link = ['--node-type', 'compute', '--orchestrators', `http://127.0.0.1:${DAY_PORT}`]
    return [
      ours(directory, 'lisbon', DAY_PORT, '--node-type', 'requester'),
      ...computes.map(({ name, port }) => ours(directory, name, port, ...link)),
    ]
  }
  const theirs = release === '1.9.3' ? newServer : oldServer
  return [
    theirs(directory, 'lisbon', DAY_PORT, false),
    ...computes.map(({ name, port }) => theirs(directory, name, port, true)),
  ]
}

function newServer(directory: string, name: string, port: number, computes: boolean): readonly string[] {
  const repository = place(directory, `repo-${name}`)
  const config = join(directory, `${name}.yaml`)
  const Orchestrator = computes ? { Enabled: false } : { Enabled: true, Host: '127.0.0.1', Port: LINK_PORT }
  const Compute = computes
    ? { Enabled: true, Orchestrators: [`nats://127.0.0.1:${LINK_PORT}`] }
    : { Enabled: false }
  const quiet = { DisableAnalytics: true, UpdateConfig: { Interval: '0s' }, WebUI: { Enabled: false } }
  writeFileSync(
    config,
    JSON.stringify({ API: { Host: '127.0.0.1', Port: port }, Orchestrator, Compute, ...quiet }),
  )
  return [OFFICIAL, '1.9.3', 'serve', '--data-dir', repository, '-c', config, '--name', name]
}

function oldServer(directory: string, name: string, port: number, computes: boolean): readonly string[] {
  const repository = place(directory, `repo-${name}`)
  return [
    ...[OFFICIAL, '1.4.0', 'serve', '--repo', repository, '--node-type', computes ? 'compute' : 'requester'],
    ...['--host', '127.0.0.1', '--port', String(port), '--name', name],
    ...['--local-publisher-address', '127.0.0.1', '--job-selection-accept-networked'],
    ...(computes ? ['--orchestrators', `nats://127.0.0.1:${LINK_PORT}`] : []),
  ]
}
