import type { Json } from '@saltcod/store-core'
import { expect, test } from 'vitest'
import { ENGINE_KINDS } from '../../src/engines/kinds.ts'
import { INPUT_KINDS } from '../../src/inputs/kinds.ts'
import { PUBLISHER_KINDS } from '../../src/publishers/kinds.ts'
import { readSubmit } from '../../src/wire/job-input.ts'

const exec = { Type: 'exec', Params: { Command: 'ls' } }
const input = (type: string, params: Json): { readonly [key: string]: Json } => ({
  Engine: exec,
  InputSources: [{ Source: { Type: type, Params: params }, Target: '/in' }],
})

function submit(task: Json): readonly string[] {
  return readSubmit({ Job: { Type: 'batch', Tasks: [{ Name: 'main', ...(task as object) }] } }).warnings
}

test.each<[Json, string]>([
  [
    { Engine: { Type: 'exec', Params: { Command: 'ls', Arguments: ['a', 'b\0'] } } },
    'Job.Tasks[0].Engine.Params.Arguments[1] must not hold a NUL character',
  ],
  [
    { Engine: { Type: 'exec' } },
    'Job.Tasks[0].Engine.Params.Command is missing; give the name or the path of a program',
  ],
  [
    { Engine: { Type: ' WASM ', Params: { Entrypoint: 'x' } } },
    'Job.Tasks[0].Engine.Params.EntryModule is missing; give the Target or the Alias of an input',
  ],
  [
    { Engine: { Type: 'wasm', Params: { EntryModule: '/m', ImportModules: ['/a', 'b\0'] } } },
    'Job.Tasks[0].Engine.Params.ImportModules[1] must not hold a NUL character',
  ],
  [
    {
      ...input('inline', { URL: 'data:,x' }),
      Engine: { Type: 'wasm', Params: { EntryModule: '/m', ImportModules: ['in', 'b'] } },
    },
    [
      'Job.Tasks[0].Engine.Params.EntryModule names "/m", which no input brings in; give the Target or the Alias of one',
      'Job.Tasks[0].Engine.Params.ImportModules[1] names "b", which no input brings in; give the Target or the Alias of one',
    ].join('\n'),
  ],
  [
    {
      Engine: {
        Type: 'docker',
        Params: {
          Image: 'a',
          Entrypoint: 'sh',
          Parameters: ['a\0b'],
          EnvironmentVariables: ['A'],
          WorkingDirectory: 'b',
        },
      },
    },
    [
      'Job.Tasks[0].Engine.Params.Entrypoint must be a list of texts',
      'Job.Tasks[0].Engine.Params.Parameters[0] must not hold a NUL character',
      'Job.Tasks[0].Engine.Params.EnvironmentVariables[0] must be NAME=VALUE',
      'Job.Tasks[0].Engine.Params.WorkingDirectory must be an absolute path',
    ].join('\n'),
  ],
  [
    { Engine: { Type: 'docker', Params: { Image: 'a', EnvironmentVariables: ['BACALHAU_X=1'] } } },
    'Job.Tasks[0].Engine.Params.EnvironmentVariables[0] must not begin with BACALHAU_, which the node sets',
  ],
  [
    {
      Engine: exec,
      InputSources: [{ Source: { Type: 'inline', Params: { URL: 'data:,x' } }, Target: '/a/../b' }],
    },
    'Job.Tasks[0] input 1 (inline at /a/../b): Target must not hold "..", as "/a/../b" does',
  ],
  [
    input('urlDownload', { URL: 'ftp://x/y' }),
    'Job.Tasks[0].InputSources[0].Source.Params.URL must begin with "http:" or "https:"',
  ],
  [input('urlDownload', { URL: 'x y' }), 'Job.Tasks[0].InputSources[0].Source.Params.URL is no URL'],
  [
    input('urlDownload', { URL: 'http://me:secret@x/y' }),
    'Job.Tasks[0].InputSources[0].Source.Params.URL must not hold a user name or password',
  ],
  [
    input('local', { SourcePath: '/x', CreateAs: 'dir' }),
    'Job.Tasks[0].InputSources[0].Source.Params.CreateAs is not offered: what is not there is not made',
  ],
  [
    { Engine: exec, Env: { TOKEN: 'env:MY-TOKEN' } },
    'task main validation failed: environment variable "TOKEN" must name a variable of the node, as env:NAME',
  ],
  [
    { Engine: { Type: 'noop', Params: { exitcode: 256 } } },
    'Job.Tasks[0].Engine.Params.ExitCode must be a whole number from 0 to 255',
  ],
  [
    { Engine: { Type: 'exec', Params: { Comand: 'ls' } } },
    [
      'Job.Tasks[0].Engine.Params.Command is missing; give the name or the path of a program',
      'unknown key Tasks[0].Engine.Params.Comand is ignored; did you mean Command?',
    ].join('\n'),
  ],
  [
    { Engin: exec },
    [
      'task main validation failed: engine: missing spec type',
      'unknown key Tasks[0].Engin is ignored; did you mean Engine?',
    ].join('\n'),
  ],
  [
    { Engine: exec, Resuorces: {}, Timeouts: 5 },
    [
      'Job.Tasks[0].Timeouts must be an object',
      'unknown key Tasks[0].Resuorces is ignored; did you mean Resources?',
    ].join('\n'),
  ],
  [
    input('inline', {}),
    'Job.Tasks[0].InputSources[0].Source.Params.URL is missing; give a URL that begins with "data:"',
  ],
  [
    input('inline', { url: 'http://example.org' }),
    'Job.Tasks[0].InputSources[0].Source.Params.URL must begin with "data:"',
  ],
  [
    input('localDirectory', { SourcePath: 'data', ReadWrite: true }),
    [
      'Job.Tasks[0].InputSources[0].Source.Params.SourcePath must be an absolute path',
      'Job.Tasks[0].InputSources[0].Source.Params.ReadWrite is not offered: jobs get copies',
    ].join('\n'),
  ],
])('a submit of %j is refused, whatever node it would run on', (task, message) => {
  expect(() => submit(task)).toThrow(
    expect.objectContaining({ code: 'ValidationError', message, component: 'JobValidator' }),
  )
})

test('the name of an image is one that a registry could have', () => {
  const submitImage = (Image: string) => submit({ Engine: { Type: 'docker', Params: { Image } } })
  const digest = `sha256:${'0a'.repeat(32)}`
  for (const name of [
    ...['ubuntu', 'ubuntu:24.04', `ubuntu@${digest}`, `a/b__c--d.e/f:V1_.x@${digest}`, 'localhost/a'],
    ...['ghcr.io/u/i:t', 'Registry.Example.ORG:5000/a/b', 'host:5000/a', '[::1]:5000/a', '3c0722dc34df'],
  ])
    expect(submitImage(name)).toEqual([])
  for (const name of [
    ...[
      'Not An Image',
      'Ubuntu',
      'Foo/bar',
      'a:',
      'a:1\n',
      '\na',
      'a/../b',
      '../a',
      'a//b',
      'a/b?x=y',
      'a#b',
      '/a',
    ],
    ...[
      'a%2f..',
      'a@sha256:0a',
      'a:b:c',
      '-a',
      'a\u001b[31m',
      'a:\u202eb',
      `a:${'t'.repeat(129)}`,
      'http://a/b',
    ],
  ])
    expect(() => submitImage(name), JSON.stringify(name)).toThrow(
      /Engine\.Params\.Image is not the name of an image, such as ubuntu:24\.04/,
    )
})

test.each([
  ['Ubuntu:24.04', 'lower case'],
  ['ghcr.io/Ada/Tool', 'lower case'],
  ['ubuntu: 24.04', 'a blank in it'],
  ['docker://ubuntu:24.04', 'no :// in front'],
])('what is wrong with the name of an image is said where that is plain: %s', (name, hint) => {
  expect(() => submit({ Engine: { Type: 'docker', Params: { Image: name } } })).toThrow(hint)
})

test('parameters that nothing reads are named, also those of a publisher; those of unknown types are free', () => {
  const Network = { Type: 'Host' }
  const task = { Engine: exec, Publisher: { Type: 'local', Params: { Bucket: 'b' } }, Network }
  expect(submit(task)).toEqual(['unknown key Tasks[0].Publisher.Params.Bucket is ignored'])
  const free = {
    Engine: { Type: 'docker', Params: { Image: 'a' } },
    Publisher: { Type: 's3', Params: { B: 1 } },
  }
  expect(submit(free)).toEqual([])
})

test.each([
  [
    { Engine: { Type: 'dokcer' } },
    'Job.Tasks[0].Engine.Type is "dokcer", which is no engine; did you mean docker?',
  ],
  [
    { Engine: { Type: 'Python', Params: { Command: 'python' } } },
    'Job.Tasks[0].Engine.Type is "Python", which is no engine: requesters of Bacalhau 1.2 to 1.4 made a job of the engine docker of it; write such a job, or one of the engine exec',
  ],
  [
    { Engine: exec, Publisher: { Type: 'mail' } },
    'Job.Tasks[0].Publisher.Type is "mail", which is no publisher; there are local, noop, s3, s3Managed, ipfs, estuary',
  ],
  [
    input('urlDownlaod', { URL: 'http://x/y' }),
    'Job.Tasks[0].InputSources[0].Source.Type is "urlDownlaod", which is no input source; did you mean urlDownload?',
  ],
])('a type that no release has is a mistake: %j', (task, message) => {
  expect(() => submit(task)).toThrow(expect.objectContaining({ code: 'ValidationError', message }))
})

test('a type that a node may get yet is taken, whatever its case', () => {
  const Source = (Type: string) => ({ Source: { Type }, Target: `/${Type}` })
  const task = { Engine: { Type: ' DOCKER ', Params: { Image: 'a' } }, Publisher: { Type: 'S3' } }
  expect(submit({ ...task, InputSources: ['ipfs', 's3PreSigned', 'repoclone'].map(Source) })).toEqual([])
})

test('no two kinds have a name in common', () => {
  for (const kinds of [ENGINE_KINDS, INPUT_KINDS, PUBLISHER_KINDS]) {
    const names = kinds.map(({ type }) => type.toLowerCase())
    expect(new Set(names).size).toBe(names.length)
  }
})
