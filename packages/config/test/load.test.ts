import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { flagUses } from '../../../test/flag-uses.ts'
import { temporaryDirectory } from '../../../test/temporary-directory.ts'
import { formatProblem, type LoadedConfig, loadConfig } from '../src/index.ts'
import { SETTINGS } from '../src/settings.ts'
import { nested } from './samples.ts'

function lines(loaded: LoadedConfig): string[] {
  return loaded.errors.map(formatProblem)
}

describe('loadConfig', () => {
  it('refuses two spellings of a flag that disagree, and takes them where they agree', () => {
    const env = { HOME: temporaryDirectory() }
    expect(lines(loadConfig({ flags: flagUses('--repo', '/a', '--data-dir', '/b'), env }))).toEqual([
      '--data-dir: DataDir: contradicts --repo, which sets the same; give one of them',
    ])
    expect(lines(loadConfig({ flags: { name: 'a', nodeId: 'b' }, env }))).toEqual([
      '--node-id: NodeID: contradicts --name, which sets the same; give one of them',
    ])
    expect(lines(loadConfig({ flags: flagUses('--port', '1', '--port=2'), env }))).toEqual([
      '--port: API.Port: is given twice with different values; give one of them',
    ])
    expect(lines(loadConfig({ flags: flagUses('--repo', '/a', '--data-dir=/a'), env }))).toEqual([])
  })

  it('leaves alone what it does not know', () => {
    const env = { HOME: temporaryDirectory() }
    const flags = flagUses('--fresh', '--port', '80', '--max-age=1d', '--allow-exec')
    const loaded = loadConfig({ flags, env })
    expect(loaded.rest).toEqual(['--fresh', '--max-age'])
    expect(loaded.config?.api.port).toBe(80)
    expect(loaded.config?.engines.exec.allow).toBe(true)
    expect(loadConfig({ flags: { fresh: true, output: 'json', port: undefined }, env }).rest).toEqual([
      '--fresh',
      '--output',
    ])
  })

  it('reads <repo>/saltcod.yaml unless a file is named', () => {
    const home = temporaryDirectory({
      '.bacalhau/saltcod.yaml': 'API: { Port: 1 }',
      'other/saltcod.yaml': 'API: { Port: 2 }',
      'named.yaml': 'API: { Port: 3 }',
    })
    const env = { HOME: home }
    const port = (options: Parameters<typeof loadConfig>[0]): unknown => loadConfig(options).config?.api.port
    expect(port({ env })).toBe(1)
    expect(port({ env: { ...env, BACALHAU_DIR: join(home, 'other') } })).toBe(2)
    expect(port({ env, flags: flagUses('--repo', '~/other') })).toBe(2)
    expect(port({ env, flags: flagUses('--repo', 'other'), cwd: home })).toBe(2)
    expect(port({ env, flags: flagUses('--config', join(home, 'named.yaml')) })).toBe(3)
    expect(port({ env, flags: flagUses('--config=named.yaml'), cwd: home })).toBe(3)
    expect(port({ env, flags: { config: 'named.yaml' }, cwd: home })).toBe(3)
    expect(port({ env, files: [join(home, 'named.yaml')] })).toBe(3)
    expect(port({ env, flags: flagUses('--repo', join(home, 'empty')) })).toBe(1234)
    expect(loadConfig({ env }).files).toEqual([join(home, '.bacalhau/saltcod.yaml')])
    expect(loadConfig({ env, flags: flagUses('--repo', join(home, 'empty')) }).files).toEqual([])
  })

  it('lets later files win, key by key', () => {
    const home = temporaryDirectory({
      'a.yaml': 'API:\n  Port: 1\n  Host: ::1\n',
      'b.yaml': '\nAPI:\n  Port: 2\n',
    })
    const loaded = loadConfig({ env: { HOME: home }, files: ['a.yaml', 'b.yaml'], cwd: home })
    expect(loaded.config?.api).toMatchObject({ host: '::1', port: 2 })
    expect(loaded.origins).toMatchObject({
      'API.Host': { kind: 'file', path: 'a.yaml', line: 3 },
      'API.Port': { kind: 'file', path: 'b.yaml', line: 3 },
    })
  })

  it('makes paths absolute: ~ from HOME, of flags and variables from the directory, of files from theirs', () => {
    const home = temporaryDirectory({
      'etc/own.yaml': 'Results:\n  Path: kept\nInputs:\n  AllowedPaths: ["~", ~/in, ../shared, /abs/../x]\n',
    })
    const loaded = loadConfig({
      flags: flagUses('--repo', 'repo', '--config', 'etc/own.yaml'),
      env: { HOME: home, BACALHAU_JOB_STORE_PATH: '~/jobs.db' },
      cwd: join(home),
    })
    expect(loaded.config?.dataDir).toBe(join(home, 'repo'))
    expect(loaded.config?.jobStore.path).toBe(join(home, 'jobs.db'))
    expect(loaded.config?.results.path).toBe(join(home, 'etc/kept'))
    expect(loaded.config?.inputs.allowedPaths).toEqual([home, join(home, 'in'), join(home, 'shared'), '/x'])
  })

  it('says what to do where HOME is missing, is relative, or is somebody else', () => {
    expect(lines(loadConfig({ env: {} }))).toEqual([
      "DataDir: '~/.bacalhau' cannot be resolved, because HOME is not set; write the whole path",
    ])
    expect(lines(loadConfig({ env: { HOME: 'x' } }))).toEqual([
      "DataDir: '~/.bacalhau' cannot be resolved, because HOME is not an absolute path; write the whole path",
    ])
    expect(lines(loadConfig({ env: {}, flags: flagUses('--repo', '~bob/x') }))).toEqual([
      "--repo: DataDir: '~bob/x' names the home of another user; write the whole path",
    ])
    expect(loadConfig({ env: {}, flags: flagUses('--repo', temporaryDirectory()) }).errors).toEqual([])
  })

  it('refuses variables and control characters in paths', () => {
    const env = { HOME: temporaryDirectory() }
    const given = ['$HOME/x', `\${HOME}/x`, 'a\nb', '  ', 'a\u0000b']
    for (const repo of given) {
      const found = lines(loadConfig({ flags: flagUses('--repo', repo), env }))
      expect(found).toHaveLength(1)
      expect(found[0]).toMatch(/^--repo: DataDir: '.*' (?:holds a variable|is not a path); [^\n]+$/)
    }
    expect(loadConfig({ flags: flagUses('--repo', '/tmp/5$/x'), env }).config?.dataDir).toBe('/tmp/5$/x')
  })

  it('shows all errors of all sources at once, one line each', () => {
    const home = temporaryDirectory({
      'own.yaml': [
        'NodeID: "a b"',
        'Node:',
        '  Type: []',
        'API:',
        '  Port: 70000',
        '  Prot: 1',
        'GracePeriod: soon',
        'Quota: { SpecSize: 1, StoreSize: 10 }',
        'Retention:',
        '  - State: Running',
        '    MaxAge: 1y',
        '  - Namespace: x',
        'Recovery:',
        '  Cells:',
        '    Running: { batch: publish, bach: fail }',
        '  Preset: resum',
        '  AgeRules: [{ State: Publishing, OlderThan: 1h, Action: rerun }]',
      ].join('\n'),
    })
    const env = { HOME: home, BACALHAU_API_PORT: 'http', BACALHAU_JOB_STORE_TYPE: 'redis', LOG_LEVEL: 'loud' }
    const loaded = loadConfig({
      flags: [...flagUses('--host', 'http://x:1'), { name: '--repo', value: '--fresh' }],
      env,
      files: ['own.yaml'],
      cwd: home,
    })
    expect(loaded.config).toBeUndefined()
    expect(lines(loaded)).toMatchInlineSnapshot(`
      [
        "--repo: has no value; write '--repo VALUE'; a path that begins with -- is written ./--",
        "--host: API.Host: 'http://x:1' is not a host; write a name or an address alone, like '127.0.0.1', 'node.example' or '::1' (the port has its own setting)",
        "BACALHAU_JOB_STORE_TYPE: Node.Requester.JobStore.Type: 'redis' is not possible here; write one of lmdb, memory, inmemory, boltdb",
        "BACALHAU_API_PORT: API.Port: 'http' is not a whole number from 0 to 65535; write one in digits",
        "LOG_LEVEL: Logging.Level: 'loud' is not possible here; write one of trace, debug, info, warn, error, fatal, silent",
        "own.yaml:1: NodeID: 'a b' is not a node id; use 1 to 64 letters, digits, - and _, beginning with a letter or digit",
        "own.yaml:3: Node.Type: an empty list is not enough; name at least one",
        "own.yaml:5: API.Port: 70000 is not a whole number from 0 to 65535; write one in digits",
        "own.yaml:6: API: 'Prot' is not known here; did you mean 'Port'?",
        "own.yaml:7: GracePeriod: 'soon' is not a duration; write it like '30s', '1m30s', '24h' or '7d', or as whole milliseconds",
        "own.yaml:8: Quota.SpecSize: 1 is too little; write at least 1KiB",
        "own.yaml:8: Quota.StoreSize: 10 is too little; write at least 16MiB, or 0 for none",
        "own.yaml:10: Retention[0].State: 'Running' is not possible here; write one of Completed, Failed, Stopped",
        "own.yaml:11: Retention[0].MaxAge: '1y' is not a duration; write it like '30s', '1m30s', '24h' or '7d', or as whole milliseconds",
        "own.yaml:12: Retention[1]: the rule limits nothing; give it MaxAge, MaxCount or MaxBytes",
        "own.yaml:15: Recovery.Cells.Running.batch: 'publish' is not possible here; write one of rerun, fail, keep, none",
        "own.yaml:15: Recovery.Cells.Running: 'bach' is not known here; did you mean 'batch'?",
        "own.yaml:16: Recovery.Preset: 'resum' is not possible here; write one of resume, expire",
        "own.yaml:17: Recovery.AgeRules[0].Action: 'rerun' makes no sense for Publishing; write one of publish, fail, keep, none",
      ]
    `)
    for (const line of lines(loaded)) expect(line).not.toContain('\n')
  })

  it('never throws, whatever the arguments, the environment and the file hold', () => {
    const home = temporaryDirectory()
    const odd = [
      null,
      1,
      true,
      [],
      [1],
      {},
      { a: 1 },
      'x',
      '',
      '\u0000',
      ['a', null],
      new Date(0),
      () => 1,
      Number.NaN,
    ]
    for (const { flag, key } of SETTINGS) {
      for (const value of odd) {
        if (flag !== undefined) loadConfig({ flags: { [flag]: value }, env: { HOME: home } })
        if (typeof value === 'function' || value instanceof Date) continue
        const file = join(home, 'odd.yaml')
        writeFileSync(file, stringify(nested(key, value)))
        const loaded = loadConfig({ env: { HOME: home }, files: [file] })
        expect(loaded.config === undefined).toBe(loaded.errors.length > 0)
      }
    }
  })

  it('freezes what it returns through and through, and nothing of the caller', () => {
    const labels = ['compute']
    const loaded = loadConfig({ flags: { nodeType: labels }, env: { HOME: temporaryDirectory() } })
    const thawed: string[] = []
    const visit = (value: unknown, path: string): void => {
      if (typeof value !== 'object' || value === null) return
      if (!Object.isFrozen(value)) thawed.push(path)
      for (const [key, inner] of Object.entries(value)) visit(inner, `${path}.${key}`)
    }
    visit(loaded, 'loaded')
    expect(thawed).toEqual([])
    expect(Object.isFrozen(labels)).toBe(false)
    expect(loaded.config?.roles).toEqual(['compute'])
  })

  it('warns of misspelt variables and of useless permission', () => {
    const home = temporaryDirectory()
    const warnings = (options: Parameters<typeof loadConfig>[0]): string[] =>
      loadConfig(options).warnings.map(formatProblem)
    expect(warnings({ env: { HOME: home, BACALHAU_NODEID: 'x', BACALHAU_ENVIRONMENT: 'x' } })).toEqual([
      "BACALHAU_NODEID: no setting reads this variable; did you mean 'BACALHAU_NODE_ID'?",
    ])
    expect(
      warnings({ env: { HOME: home }, flags: flagUses('--allow-exec', '--node-type', 'requester') }),
    ).toEqual([
      '--allow-exec: Engines.Exec.Allow: has no effect on a node that runs no jobs; add compute to Node.Type, or leave it out',
    ])
  })

  it('warns where the config file names another repository that has one too', () => {
    const home = temporaryDirectory({ 'b/saltcod.yaml': 'API: { Port: 2 }' })
    mkdirSync(join(home, '.bacalhau'))
    writeFileSync(join(home, '.bacalhau/saltcod.yaml'), 'DataDir: ~/b')
    const loaded = loadConfig({ env: { HOME: home } })
    expect(loaded.config?.dataDir).toBe(join(home, 'b'))
    expect(loaded.warnings.map(formatProblem)).toEqual([
      `${home}/.bacalhau/saltcod.yaml:1: DataDir: there is a config file in this directory too, which is not read: ${home}/b/saltcod.yaml; name the directory with --repo to read that file, or remove it`,
    ])
  })

  it('warns of a config file of Bacalhau that it does not read, unless there is one of ours', () => {
    const home = temporaryDirectory({ '.bacalhau/config.yaml': 'API: { Port: 2 }' })
    const told = (...argv: string[]): string[] =>
      loadConfig({ flags: flagUses(...argv), env: { HOME: home } }).warnings.map(formatProblem)
    expect(told()).toEqual([
      `${home}/.bacalhau/config.yaml: this file is not read: settings of a node stand in saltcod.yaml beside it, and not all are called as in Bacalhau; write what you need of it there: saltcod config init makes a saltcod.yaml that explains each`,
    ])
    expect(told('--repo', join(home, 'other'))).toEqual([])
    writeFileSync(join(home, 'mine.yaml'), '')
    expect(told('--config', join(home, 'mine.yaml'))).toEqual([])
    writeFileSync(join(home, '.bacalhau/saltcod.yaml'), '')
    expect(told()).toEqual([])
  })
})
