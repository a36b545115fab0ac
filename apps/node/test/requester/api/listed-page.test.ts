import type { PageRequest } from '@saltcod/store-core'
import { expect, test } from 'vitest'
import { pageInOrder, type ReadPage, sortedPage } from '../../../src/requester/api/listed-page.ts'

const token = { limit: 2, reverse: false, orderBy: 'created_at' }

/** A store of so many numbers of which a read looks at `looks` and finds the even ones, and what it was asked. */
function numbers(count: number, looks: number) {
  const asked: PageRequest[] = []
  const read: ReadPage<number> = async (request) => {
    asked.push(request)
    const from = Number(request.cursor ?? 0)
    const items: number[] = []
    let at = from
    for (; at < Math.min(from + looks, count) && items.length < (request.limit ?? 0); at += 1)
      if (at % 2 === 0) items.push(at)
    return {
      items,
      next: at < count ? String(at) : null,
      previous: null,
      examined: at - from,
      quarantined: [],
    }
  }
  return { asked, read }
}

test('a page is read from where its cursor stands, and no more than it holds', async () => {
  const { asked, read } = numbers(10_000, 2_000)
  const page = await pageInOrder(read, { ...token, cursor: '500' })
  expect(page).toEqual({ items: [500, 502], missing: 0, next: { cursor: '503' } })
  expect(asked).toEqual([{ limit: 2, reverse: false, cursor: '500' }])
})

test('a filter that finds little is asked again, not for ever; without a limit all is read', async () => {
  const { asked, read } = numbers(10_000, 1)
  expect((await pageInOrder(read, { ...token, limit: 50 })).next).toEqual({ cursor: '20' })
  expect(asked).toHaveLength(20)
  expect((await pageInOrder(numbers(10_000, 100).read, { ...token, limit: 0 })).items).toHaveLength(5_000)
})

test('an order that the store has not is made of all, up to a bound', async () => {
  const down = (a: number, b: number): number => b - a
  const by = { ...token, orderBy: 'size' }
  const first = await sortedPage(numbers(100, 2_000).read, by, down, 'numbers')
  expect(first).toEqual({ items: [98, 96], missing: 0, next: { offset: 2 } })
  const last = await sortedPage(numbers(100, 2_000).read, { ...by, offset: 49 }, down, 'numbers')
  expect(last).toEqual({ items: [0], missing: 0, next: null })
  const many = sortedPage(numbers(30_000, 2_000).read, by, down, 'numbers')
  await expect(many).rejects.toMatchObject({ code: 'BadRequest', message: /more than 10000 numbers/ })
})
