import { bytesIn } from './size.ts'

/**
 * Reads an amount of CPU as Kubernetes writes it: cores such as `1.5`, or thousandths of one such as `500m`.
 * Returns cores, or `undefined` where the text is something else.
 */
export function parseCpu(text: string): number | undefined {
  const [, number, thousandths] = /^(\d+(?:\.\d+)?|\.\d+)(m)?$/.exec(text) ?? []
  if (number === undefined) return undefined
  return thousandths === undefined ? Number(number) : Number(number) / 1000
}

/**
 * Reads an amount of memory or disk as job files have it. The units are those of `parseSize`, so `512m` is 512
 * megabytes as in Bacalhau, and no thousandth of a byte as in Kubernetes. What clients send is taken as widely as
 * Bacalhau takes it: spaces and commas count for nothing, a digit before the point may be missing, and parts of a
 * byte are rounded. Returns bytes, or `undefined` where the text is something else.
 */
export function parseBytes(text: string): number | undefined {
  const bytes = Math.round(bytesIn(text.replaceAll(/[\s,]/g, '')) ?? Number.NaN)
  return Number.isSafeInteger(bytes) ? bytes : undefined
}

/** Reads a number of GPUs. Returns `undefined` for anything but a whole number. */
export function parseGpu(text: string): number | undefined {
  return /^\d{1,6}$/.test(text) ? Number(text) : undefined
}
