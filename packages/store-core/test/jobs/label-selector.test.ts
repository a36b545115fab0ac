import assert from 'node:assert/strict'
import { describe, test } from 'vitest'
import { labelsMatch } from '../../src/jobs/label-match.ts'
import { parseLabelSelector } from '../../src/jobs/label-selector.ts'

const LABELS = { env: 'prod', tier: 'a', size: '10', empty: '', 'example.com/name': 'x.y-z', in: 'in' }

/** Each selector with its conditions, as key, operator and values, and whether `LABELS` meet them. */
const SELECTORS: readonly (readonly [string, readonly string[], boolean])[] = [
  ['', [], true],
  ['  ', [], true],
  ['env=prod', ['env = prod'], true],
  ['env==prod', ['env = prod'], true],
  [' env == prod ', ['env = prod'], true],
  ['env=test', ['env = test'], false],
  ['env!=test', ['env != test'], true],
  ['env != prod', ['env != prod'], false],
  ['other!=x', ['other != x'], true],
  ['bacalhau_canary!=true', ['bacalhau_canary != true'], true],
  ['tier in (a,b)', ['tier in a|b'], true],
  ['tier in(a, b )', ['tier in a|b'], true],
  ['tier in (b)', ['tier in b'], false],
  ['tier notin (b,c)', ['tier notin b|c'], true],
  ['tier notin (a)', ['tier notin a'], false],
  ['other notin (a)', ['other notin a'], true],
  ['other in (a)', ['other in a'], false],
  ['env', ['env exists '], true],
  ['other', ['other exists '], false],
  ['!other', ['other !exists '], true],
  ['! env', ['env !exists '], false],
  ['size>9', ['size gt 9'], true],
  ['size > 10', ['size gt 10'], false],
  ['size<11', ['size lt 11'], true],
  ['size<-1', ['size lt -1'], false],
  ['env>1', ['env gt 1'], false],
  ['empty=', ['empty = '], true],
  ['env=', ['env = '], false],
  ['empty in ()', ['empty in '], true],
  ['tier in (,a)', ['tier in |a'], true],
  ['in in (in,notin)', ['in in in|notin'], true],
  ['in=in', ['in = in'], true],
  ['notin', ['notin exists '], false],
  ['example.com/name=x.y-z', ['example.com/name = x.y-z'], true],
  [
    'env=prod,tier in (a,b),!other, size<11',
    ['env = prod', 'tier in a|b', 'other !exists ', 'size lt 11'],
    true,
  ],
  ['env=prod,tier=b', ['env = prod', 'tier = b'], false],
  ['constructor', ['constructor exists '], false],
]

describe('a selector is read, and chooses', () => {
  test.each(SELECTORS)('%j', (selector, conditions, meets) => {
    const requirements = parseLabelSelector(selector)
    const read = requirements.map(({ key, operator, values }) => `${key} ${operator} ${values.join('|')}`)
    assert.deepEqual(read, conditions)
    assert.equal(labelsMatch(LABELS, requirements), meets)
  })
})

describe('what is no selector is refused, and the place is named', () => {
  test.each([
    ['a b', 'after "a" it has "b", and not \',\' or the end'],
    ['a=b c', 'after "a = b" it has "c", and not \',\' or the end'],
    ['a=b=c', 'after "a = b" it has "=", and not \',\' or the end'],
    ['a in b', 'after "a in" it has "b", and not \'(\''],
    ['a in', 'after "a in" it ends, and not \'(\''],
    ['a in (b', "after \"a in ( b\" it ends, and not ',' or ')'"],
    ['a in (b c)', 'after "a in ( b" it has "c", and not \',\' or \')\''],
    ['a in b)', 'it has "b"'],
    ['!a=b', 'after "! a" it has "=", and not \',\' or the end'],
    ['!', 'after "!" it ends, and not a key'],
    ['=x', 'at its beginning it has "=", and not a key or \'!\''],
    [',a', 'at its beginning it has ",", and not a key or \'!\''],
    ['a,', 'after "a ," it ends, and not a key or \'!\''],
    ['a,,b', 'after "a ," it has ",", and not a key or \'!\''],
    ['ok,(', 'after "ok ," it has "(", and not a key or \'!\''],
    ['a>b', 'a label is compared with a whole number, and "b" is none'],
    ['a<', 'a label is compared with a whole number, and "" is none'],
    ['a>1.5', 'compared with a whole number'],
  ])('%j', (selector, message) => {
    assert.throws(
      () => parseLabelSelector(selector),
      (error: Error & { code?: string; hint?: string }) => {
        assert.equal(error.code, 'INVALID_ARGUMENT')
        assert.ok(error.message.includes(message), error.message)
        assert.match(error.hint ?? '', /key in \(a,b\)/)
        return true
      },
    )
  })
})
