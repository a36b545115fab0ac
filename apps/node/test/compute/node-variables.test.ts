import { expect, test } from 'vitest'
import { type NodeVariables, resolveTask } from '../../src/compute/node-variables.ts'
import { wholeTask } from './work-bench.ts'

const WITH_TOKEN = task({ TOKEN: 'env:API_TOKEN' })

function task(Env: Record<string, string>): ReturnType<typeof wholeTask> {
  return wholeTask({ Engine: { Type: 'noop', Params: {} }, Env })
}

function resolve(allowed: readonly string[], of = WITH_TOKEN): ReturnType<typeof resolveTask> {
  const variables: NodeVariables = { allowed, values: { API_TOKEN: 's3cret' } }
  return resolveTask(of, variables)
}

test.each([['API_TOKEN'], ['API_*'], ['*']])(
  'the list item %s gives a variable, and hides its value',
  (item) => {
    const resolved = resolve([item])
    expect(resolved).toMatchObject({ task: { Env: { TOKEN: 's3cret' } } })
    if (typeof resolved !== 'string') expect(resolved.hide('it said s3cret')).toBe('it said env:API_TOKEN')
  },
)

test.each([['API'], ['API_TOKE.'], ['('], ['[A-Z_]+'], ['']])('the list item %j gives none', (item) => {
  expect(resolve([item])).toMatch(/does not give to jobs \(Node\.Compute\.Env\.AllowList\)/)
})

test.each([
  [
    'in quotes, as a message shows it',
    'a "quoted\\" one',
    'exec: the command "a \\"quoted\\\\\\" one" was not found',
  ],
  ['a line of it', 'first line\nsecond line', 'second line'],
  ['as a part of an address', 'p@ss word', 'http://host/?key=p%40ss%20word'],
  ['as an address is written', 'http://Host/p ath', 'http://host/p%20ath'],
])('a value is hidden: %s', (_, value, text) => {
  const variables: NodeVariables = { allowed: ['*'], values: { API_TOKEN: value } }
  const resolved = resolveTask(WITH_TOKEN, variables)
  if (typeof resolved === 'string') throw new Error(resolved)
  const hidden = resolved.hide(text)
  expect(hidden).toContain('env:API_TOKEN')
  expect(hidden).not.toMatch(/quoted|line|p%40ss|p%20ath/)
})

test('a value that is too short for a secret is not hidden, since it stands in other words', () => {
  const resolved = resolveTask(WITH_TOKEN, { allowed: ['*'], values: { API_TOKEN: '1' } })
  if (typeof resolved === 'string') throw new Error(resolved)
  expect(resolved.hide('exit code 1')).toBe('exit code 1')
})

test('what every object has is no variable of the node', () => {
  expect(resolve(['*'], task({ TOKEN: 'env:constructor' }))).toMatch(/does not have/)
})

test('a task that names no variable stays as it is', () => {
  const plain = task({ A: 'b' })
  expect(resolve([], plain)).toMatchObject({ task: plain })
})
