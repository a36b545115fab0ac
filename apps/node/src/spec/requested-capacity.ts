import type { RequestedResources } from '@saltcod/bacalhau-records'
import { parseBytes, parseCpu, parseGpu } from '@saltcod/units'
import type { Capacity } from '../link/link.ts'

/** Returns what a task asks for as numbers; what is empty or unreadable counts as 0. */
export function requestedCapacity(resources: RequestedResources): Capacity {
  return {
    cpu: parseCpu(resources.CPU) ?? 0,
    memoryBytes: parseBytes(resources.Memory) ?? 0,
    diskBytes: parseBytes(resources.Disk) ?? 0,
    gpu: parseGpu(resources.GPU) ?? 0,
  }
}
