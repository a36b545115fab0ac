import { isIP } from 'node:net'
import type { NetworkAccess } from '@saltcod/bacalhau-records'
import type { Problem } from '../spec/problem.ts'
import type { EngineKind } from './engine-kind.ts'

const ANY_ADDRESS: ReadonlySet<string> = new Set(['', '0.0.0.0', '::'])

/** Tells whether a task wants a network namespace of its own. */
export function wantsOwnNetwork({ Type }: NetworkAccess): boolean {
  return Type === 'None' || Type === 'HTTP'
}

/** Lists what of the network that a task asks for its engine never gives. */
export function networkProblems(
  { type, networks, isOnHost, mapsPorts }: EngineKind,
  { Type, Ports }: NetworkAccess,
): readonly Problem[] {
  if (Type !== 'Default' && !networks.includes(Type)) {
    const offered = ['Default', ...networks].join(', ')
    return [
      { path: ['Type'], message: `${Type} is not offered by the engine ${type} (it offers ${offered})` },
    ]
  }
  if (Ports.length === 0) return []
  if (mapsPorts === true && !isOnHostNetwork({ Type })) return mappingProblems(type, Ports)
  if (!isOnHost && mapsPorts !== true) {
    return [{ path: ['Ports'], message: `are not offered by the engine ${type}` }]
  }
  return Ports.flatMap(({ Static, Target, HostNetwork }, index): Problem[] => [
    ...(Target === 0 || Target === Static
      ? []
      : [
          {
            path: ['Ports', index, 'Target'],
            message: `is not offered by the engine ${type}: a job on the network of the host has no ports that are mapped`,
          },
        ]),
    ...(ANY_ADDRESS.has(HostNetwork)
      ? []
      : [
          {
            path: ['Ports', index, 'HostNetwork'],
            message: `is not offered by the engine ${type}: the program chooses the address that it listens on`,
          },
        ]),
  ])
}

/** Tells whether a task names the network of the host. */
export function isOnHostNetwork({ Type }: Pick<NetworkAccess, 'Type'>): boolean {
  return Type === 'Host' || Type === 'Full'
}

function mappingProblems(type: string, Ports: NetworkAccess['Ports']): Problem[] {
  return Ports.flatMap(({ HostNetwork }, index): Problem[] =>
    HostNetwork === '' || isIP(HostNetwork) !== 0
      ? []
      : [
          {
            path: ['Ports', index, 'HostNetwork'],
            message: `must be an address of the host for the engine ${type}, such as 127.0.0.1`,
          },
        ],
  )
}

/**
 * Says what network a task gets, where that is less than it names or more than it asked for; `null` else. What names
 * none and gets none, as with Bacalhau, is not told.
 */
export function networkWarning(kind: EngineKind, { Type }: NetworkAccess): string | null {
  if (!kind.isOnHost) return null
  if (Type === 'Default') {
    return `Network.Type is not given or Default, so a job of the engine ${kind.type} has the network of the host; Host says so, None gives it one of its own`
  }
  if (Type !== 'HTTP') return null
  return `Network.Type HTTP gives a job of the engine ${kind.type} a network with a loopback device only: no domain is reached`
}
