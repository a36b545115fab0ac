import { describe, expect, it } from 'vitest'
import { flagUses } from '../../../test/flag-uses.ts'
import { temporaryDirectory } from '../../../test/temporary-directory.ts'
import { formatProblem, loadConfig } from '../src/index.ts'
import { RULES } from '../src/rules.ts'
import { SETTINGS } from '../src/settings.ts'

function errorsOf(contents: string, argv: readonly string[] = []): string[] {
  const home = temporaryDirectory({ 'c.yaml': contents })
  const loaded = loadConfig({ flags: flagUses(...argv), env: { HOME: home }, files: ['c.yaml'], cwd: home })
  return loaded.errors.map((problem) => formatProblem(problem).replaceAll(home, '~'))
}

describe('the rules about several settings', () => {
  it('want a file of its own for each store', () => {
    const contents =
      'Node:\n  Compute: { ExecutionStore: { Path: a.db } }\n  Requester: { JobStore: { Path: ./a.db } }\n'
    expect(errorsOf(contents)).toEqual([
      "c.yaml:2: Node.Compute.ExecutionStore.Path: '~/a.db' is the path of Node.Requester.JobStore.Path too; give each store a file of its own",
    ])
    expect(errorsOf(contents, ['--requester-job-store-type', 'memory'])).toEqual([])
  })

  it('want a file, not the repository, for a store', () => {
    expect(errorsOf('DataDir: data\n', ['--requester-job-store-path', 'data'])).toEqual([
      "--requester-job-store-path: Node.Requester.JobStore.Path: '~/data' is the repository directory itself; name a file in it",
    ])
  })

  it('want a directory of its own for the archive', () => {
    expect(errorsOf('DataDir: data\nNode: { Requester: { Archive: { Directory: ./data } } }\n')).toEqual([
      "c.yaml:2: Node.Requester.Archive.Directory: '~/data' is the repository directory itself; name a directory in it, or elsewhere",
    ])
    expect(errorsOf('DataDir: data\nNode: { Requester: { Archive: { Directory: ./data/old } } }\n')).toEqual(
      [],
    )
  })

  it('want limits and waits in order', () => {
    expect(errorsOf('API: { MaxBodySize: 500KB }\nRecovery: { Interruptions: { Backoff: 2m } }\n')).toEqual([
      'Quota.SpecSize: is larger than API.MaxBodySize, so that such a specification never arrives; lower it, or raise API.MaxBodySize',
      'c.yaml:2: Recovery.Interruptions.Backoff: is longer than Recovery.Interruptions.MaxBackoff; lower it, or raise the other',
    ])
  })

  it('want all ways to a requester encrypted or none, and none to another machine without', () => {
    const errors = (list: string) => errorsOf('', ['--node-type', 'compute', '--orchestrators', list])
    expect(errors('https://far.example:1234,https://192.0.2.7:1,unix:/run/api.sock')).toEqual([])
    expect(errors('http://127.0.0.1:1,unix:/run/api.sock')).toEqual([])
    expect(errors('http://far.example:1')).toEqual([
      "--orchestrators: Node.Compute.Orchestrators: 'http://far.example:1' is on another machine, and what is said on the way there is neither encrypted nor proven; write https:// and start the requester with --tls auto, or lead a tunnel to it and name its end on this machine, or allow it with --insecure, on the requester too",
    ])
    expect(errors('https://far.example:1,http://127.0.0.1:1')).toEqual([
      "--orchestrators: Node.Compute.Orchestrators: 'http://127.0.0.1:1' is not encrypted, and other ways to the same requester are; name all of them with https://, or with unix:/PATH on the machine of the requester",
    ])
  })

  it('want a certificate with its key, or none', () => {
    const errors = (...argv: readonly string[]) => errorsOf('', argv).map((line) => line.split('; ')[0])
    const [cert, key] = [
      ['--tls-cert', 'c.pem'],
      ['--tls-key', 'k.pem'],
    ] as const
    for (const mode of [[], ['--tls', 'file'], ['--tls', 'off']])
      expect(errors(...mode, ...cert, ...key)).toEqual([])
    expect(errors(...cert)).toEqual(['--tls-cert: API.TLS.CertFile: needs a certificate and its key'])
    expect(errors('--tls', 'file')).toEqual(['--tls: API.TLS.Mode: needs a certificate and its key'])
    expect(errors(...key)).toEqual(['--tls-key: API.TLS.KeyFile: is given without its certificate'])
    expect(errors('--tls', 'auto', ...cert, ...key)).toEqual([
      '--tls-cert: API.TLS.CertFile: is given, and API.TLS.Mode is auto',
    ])
  })

  it('keep silent about settings that are in error already', () => {
    expect(errorsOf('API: { MaxBodySize: lots }\n')).toEqual([
      "c.yaml:1: API.MaxBodySize: 'lots' is not a size; write it like '10MB' or '64MiB', or as a whole number of bytes",
    ])
  })

  it('have names of their own and speak of settings that exist', () => {
    const keys = new Set(SETTINGS.map(({ key }) => key))
    expect(new Set(RULES.map(({ name }) => name)).size).toBe(RULES.length)
    for (const rule of RULES) for (const { key } of rule.about) expect(keys).toContain(key)
  })
})
