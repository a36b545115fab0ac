import assert from 'node:assert/strict'
import { labelsMatch } from '@saltcod/store-core'
import { test } from 'vitest'
import { parseLabelSelector } from '../../src/wire/label-selector.ts'

const matches = (selector: string, labels: Record<string, string>): boolean =>
  labelsMatch(labels, parseLabelSelector(selector))

test('every form of a requirement is read', () => {
  const labels = { env: 'prod', tier: 'a', size: '10' }
  for (const selector of [
    '',
    'env=prod',
    'env == prod',
    'env!=test',
    'other!=x',
    'tier in (a, b)',
    'tier notin (b,c)',
    'other notin (b)',
    'env',
    '!other',
    'size>9',
    'size<11',
    'env=prod,tier in (a,b),!other',
  ]) {
    assert.ok(matches(selector, labels), selector)
  }
  for (const selector of [
    'env=test',
    'env!=prod',
    'tier in (b)',
    'tier notin (a)',
    'other',
    '!env',
    'size>10',
    'env>1',
  ]) {
    assert.ok(!matches(selector, labels), selector)
  }
})

test('what cannot be read is refused with the part that is wrong', () => {
  for (const selector of ['a b', 'a in b', 'a=b c', '=x', 'a>b', 'ok,(']) {
    assert.throws(() => parseLabelSelector(selector), { name: 'ApiError', code: 'BadRequest' }, selector)
  }
})
