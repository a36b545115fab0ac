import type { Capacity } from '../link/link.ts'
import type { RequestedResources } from './job-spec.ts'

const CPU = /^(\d+(?:\.\d+)?|\.\d+)(m)?$/
const BYTES = /^(\d+(?:\.\d+)?|\.\d+)([kmgtp]?i?b?)$/
const POWERS = ['', 'k', 'm', 'g', 't', 'p']

/** Reads an amount of CPU such as `500m` or `1.5`, in cores. Returns `null` for anything else. */
export function parseCpu(text: string): number | null {
  const match = CPU.exec(text)
  if (match?.[1] === undefined) return null
  const amount = Number(match[1])
  return match[2] === undefined ? amount : amount / 1000
}

/** Reads an amount of bytes such as `512mb` (1000-based) or `1gi` (1024-based). Returns `null` for anything else. */
export function parseBytes(text: string): number | null {
  const match = BYTES.exec(text.toLowerCase().replaceAll(/[\s,]/g, ''))
  if (match?.[1] === undefined) return null
  const unit = (match[2] ?? '').replace(/b$/, '')
  const power = POWERS.indexOf(unit.replace('i', ''))
  if (power < 0) return null
  const bytes = Number(match[1]) * (unit.endsWith('i') ? 1024 : 1000) ** power
  return Number.isSafeInteger(Math.round(bytes)) ? Math.round(bytes) : null
}

/** Reads a number of GPUs. Returns `null` for anything but a whole number. */
export function parseGpu(text: string): number | null {
  return /^\d{1,6}$/.test(text) ? Number(text) : null
}

/** Returns what a task asks for as numbers; what is empty or unreadable counts as 0. */
export function requestedCapacity(resources: RequestedResources): Capacity {
  return {
    cpu: parseCpu(resources.CPU) ?? 0,
    memoryBytes: parseBytes(resources.Memory) ?? 0,
    diskBytes: parseBytes(resources.Disk) ?? 0,
    gpu: parseGpu(resources.GPU) ?? 0,
  }
}
