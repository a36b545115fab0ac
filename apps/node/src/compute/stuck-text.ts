import { bytesText, countOf } from '@saltcod/cli-kit'
import type { CapacityLedger } from '../capacity-ledger.ts'
import type { Capacity } from '../link/link.ts'

const AMOUNTS: readonly (readonly [keyof Capacity, (amount: number) => string])[] = [
  ['cpu', (amount) => `${number(amount)} CPU`],
  ['memoryBytes', (amount) => `${bytesText(amount)} of memory`],
  ['diskBytes', (amount) => `${bytesText(amount)} of disk`],
  ['gpu', (amount) => `${number(amount)} GPU`],
]

/** Says what an execution waits for in the queue of its node, and how many wait before it. */
export function stuckText(
  needs: Capacity,
  ledger: Pick<CapacityLedger, 'total' | 'holders' | 'available'>,
  maxRunning: number,
  before: number,
): string {
  const { total, holders } = ledger
  const free = ledger.available()
  const missing = AMOUNTS.filter(([name]) => needs[name] > free[name]).map(
    ([name, text]) =>
      `it asks for ${text(needs[name])}, and of ${text(total[name])} there ${text(free[name])} are free`,
  )
  const full =
    holders >= maxRunning ? [`${countOf(holders, 'execution')} run there, and no more may at a time`] : []
  const reasons = [...missing, ...full]
  const why = reasons.length === 0 ? 'what is before it goes first' : reasons.join('; ')
  const place = before === 0 ? 'it is the next one' : `${before} wait${before === 1 ? 's' : ''} before it`
  return `${why}; ${place}`
}

function number(amount: number): string {
  return String(Number(amount.toFixed(3)))
}
