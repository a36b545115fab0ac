import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { flagUses } from '../../../test/flag-uses.ts'
import { temporaryDirectory } from '../../../test/temporary-directory.ts'
import { formatProblem, loadConfig } from '../src/index.ts'

function errorsOf(contents: string | Uint8Array): string[] {
  const home = temporaryDirectory({ 'c.yaml': contents })
  return loadConfig({ env: { HOME: home }, files: ['c.yaml'], cwd: home }).errors.map(formatProblem)
}

describe('the config file', () => {
  it.each([
    ['empty', ''],
    ['blank', '\n\n  \n'],
    ['comments alone', '# nothing\n'],
    ['an empty document', '---\n...\n'],
    ['null', 'null\n'],
    ['empty sections and values', 'Node:\nAPI:\n  Port:\nRetention:\nNodeID: null\n'],
    ['a byte order mark', '\ufeffAPI:\n  Port: 1234\n'],
    ['Windows line ends', 'API:\r\n  Port: 1234\r\n'],
    ['JSON', '{"API": {"Port": 1234}}'],
    ['anchors', 'Results:\n  Path: &here /r\nInputs:\n  AllowedPaths: [*here]\n'],
  ])('may be %s', (_, contents) => {
    expect(errorsOf(contents)).toEqual([])
  })

  it.each([
    ['a list', '- a\n- b\n', "c.yaml:1: the file is not a mapping; write 'Key: value' lines"],
    ['a text', 'hello\n', "c.yaml:1: the file is not a mapping; write 'Key: value' lines"],
    ['a number', '\n7\n', "c.yaml:2: the file is not a mapping; write 'Key: value' lines"],
    [
      'a section that is a value',
      'API: 1234\n',
      "c.yaml:1: API: 1234 is not a mapping; write 'Key: value' lines",
    ],
    [
      'a section that is a list',
      'API:\n  - Port: 1\n',
      "c.yaml:2: API: a list is not a mapping; write 'Key: value' lines",
    ],
    [
      'a key twice',
      'NodeID: a\nAPI: {}\nNodeID: b\n',
      "c.yaml:3: 'NodeID' is given twice; remove one of them",
    ],
    [
      'a key of a section twice',
      'API:\n  Port: 1\n  Port: 1\n',
      "c.yaml:3: 'Port' is given twice; remove one of them",
    ],
    [
      'a key of a rule twice',
      'Retention:\n  - MaxAge: 1d\n    MaxAge: 2d\n',
      "c.yaml:3: 'MaxAge' is given twice; remove one of them",
    ],
    ['another case', 'api:\n  Port: 1\n', "c.yaml:1: 'api' is not known here; did you mean 'API'?"],
    [
      'a mistyped key',
      'API:\n\n  Prot: 1\n',
      "c.yaml:3: API: 'Prot' is not known here; did you mean 'Port'?",
    ],
    [
      'a key of elsewhere',
      'AllowedPaths: []\n',
      "c.yaml:1: 'AllowedPaths' is not known here; did you mean 'Inputs.AllowedPaths'?",
    ],
    [
      'a flat key',
      'API.Port: 1\n',
      "c.yaml:1: 'API.Port' is not known here; write its parts on lines below each other: API: Port:",
    ],
    ['a number as a key', '1: 2\n', 'c.yaml:1: a key is not a plain word; write a known key'],
    ['a mapping as a key', '? {a: b}\n: 2\n', 'c.yaml:1: a key is not a plain word; write a known key'],
    [
      'an alias to nothing',
      'API:\n  Port: *none\n',
      'c.yaml:2: API.Port: its aliases (*name) cannot be resolved; write the value itself',
    ],
    ['a tilde', 'DataDir: ~\n', "c.yaml:1: DataDir: ~ alone is no text in YAML; write it in quotes: '~'"],
    [
      'a truth that is a word',
      'Engines: { Exec: { Allow: yes } }\n',
      "c.yaml:1: Engines.Exec.Allow: 'yes' is not true or false; write one of the two",
    ],
    [
      'a control character',
      'NodeID: "\\u001b[31m\\n"\n',
      "c.yaml:1: NodeID: '\\x1b[31m\\x0a' is not a node id; use 1 to 64 letters, digits, - and _, beginning with a letter or digit",
    ],
    [
      'a second document',
      'NodeID: a\n---\nNodeID: b\n',
      'c.yaml:2: not valid YAML: a second document begins here; correct the line',
    ],
  ])('is refused when it holds %s', (_, contents, line) => {
    expect(errorsOf(contents)).toEqual([line])
  })

  it('names a job, and a configuration of a Bacalhau node, as what they are', () => {
    expect(errorsOf('Name: x\nType: batch\nTasks:\n  - Name: main\n')).toEqual([
      'c.yaml:1: this is a job, not a configuration; submit it with: saltcod job run FILE',
    ])
    const hint =
      'keep what both have, such as API and DataDir, and see the settings that there are with: saltcod config default'
    expect(errorsOf('NameProvider: puuid\nAPI:\n  Port: 1234\nOrchestrator:\n  Enabled: true\n')).toEqual([
      `c.yaml:1: this is a configuration of a Bacalhau node: NameProvider, Orchestrator are not known here; ${hint}`,
    ])
    expect(errorsOf('User:\n  InstallationID: x\nNode:\n  ServerAPI:\n    Port: 1\n')).toEqual([
      `c.yaml:1: this is a configuration of a Bacalhau node: User is not known here; ${hint}`,
      expect.stringContaining('ServerAPI'),
    ])
  })

  it.each([
    ['a tab for indenting', 'API:\n\tPort: 1\n', 2],
    ['an open bracket', 'Node:\n  Type: [a\n', 2],
    ['an open quote', 'NodeID: "a\n', 1],
    ['two documents', 'NodeID: a\n---\nNodeID: b\n', 2],
    ['an unknown tag', 'NodeID: !secret a\n', 1],
    ['a colon too many', 'NodeID: a: b\n', 1],
  ])('is refused with the line when it is wrong YAML: %s', (_, contents, line) => {
    const errors = errorsOf(contents)
    expect(errors.length).toBeGreaterThan(0)
    for (const error of errors)
      expect(error).toMatch(/^c\.yaml:\d+: not valid YAML: [^\n]+; correct the line$/)
    expect(
      errors.some((error) => error.startsWith(`c.yaml:${line}:`) || error.startsWith(`c.yaml:${line + 1}:`)),
    ).toBe(true)
  })

  it('does not fall for names that objects have anyway', () => {
    expect(errorsOf('__proto__: { polluted: true }\nconstructor: 1\ntoString: 1\n')).toHaveLength(3)
    expect(errorsOf('Retention:\n  - MaxAge: 1d\n    __proto__: 1\n')).toHaveLength(1)
    expect(errorsOf('Recovery:\n  Cells:\n    __proto__: fail\n    constructor: fail\n')).toHaveLength(2)
    expect(errorsOf('Node:\n  Labels:\n    __proto__: x\n')).toHaveLength(1)
    expect({}).not.toHaveProperty('polluted')
  })

  it('does not blow up on aliases of aliases', () => {
    const levels = Array.from({ length: 12 }, (_, level) => {
      const inner = level === 0 ? '"x"' : `*a${level - 1}`
      return `  - &a${level} [${Array.from({ length: 12 }, () => inner).join(', ')}]`
    })
    const errors = errorsOf(`Inputs:\n AllowedPaths:\n${levels.join('\n')}\n`)
    expect(errors.length).toBeGreaterThan(0)
  })

  it('is one clear line when it cannot be read', () => {
    const home = temporaryDirectory({
      file: '',
      big: `# ${'x'.repeat(1_000_000)}`,
      latin: new Uint8Array([0x23, 0xe4]),
    })
    mkdirSync(join(home, 'directory'))
    symlinkSync('loop', join(home, 'loop'))
    execFileSync('mkfifo', [join(home, 'pipe')])
    const errors = (file: string): string[] =>
      loadConfig({ env: { HOME: home }, files: [file], cwd: home }).errors.map(formatProblem)
    expect(errors('missing')).toEqual(['missing: there is no such file; correct the path, or leave it out'])
    expect(errors('directory')).toEqual(['directory: this is a directory; name the file itself'])
    expect(errors('pipe')).toEqual(['pipe: this is a pipe, a socket or a device; name a regular file'])
    expect(errors('loop')).toEqual(['loop: its symbolic links lead in a circle; correct the links'])
    expect(errors('file/x')).toEqual([
      'file/x: part of the path is a file, not a directory; correct the path',
    ])
    expect(errors('latin')).toEqual(['latin: the file is not UTF-8 text; save it as UTF-8'])
    expect(errors('big')).toEqual([
      'big: the file has 1000002 bytes, more than the 1000000 that such a file may have; name the right file',
    ])
  })

  it.skipIf(process.getuid?.() === 0)('is one clear line when permission is missing', () => {
    const home = temporaryDirectory({ secret: '' })
    chmodSync(join(home, 'secret'), 0)
    const loaded = loadConfig({ env: { HOME: home }, files: ['secret'], cwd: home })
    expect(loaded.errors.map(formatProblem)).toEqual([
      'secret: the file cannot be read: permission denied; let this user read it',
    ])
  })

  it('is an error at the default place too, unless it is missing', () => {
    const home = temporaryDirectory()
    mkdirSync(join(home, '.bacalhau/saltcod.yaml'), { recursive: true })
    expect(loadConfig({ env: { HOME: home } }).errors.map(formatProblem)).toEqual([
      `${home}/.bacalhau/saltcod.yaml: this is a directory; name the file itself`,
    ])
    writeFileSync(join(home, 'plain'), '')
    expect(
      loadConfig({ env: { HOME: home }, flags: flagUses('--repo', join(home, 'plain')) }).errors.map(
        formatProblem,
      ),
    ).toEqual([`${home}/plain/saltcod.yaml: part of the path is a file, not a directory; correct the path`])
  })

  it('reads policies into what the program works with', () => {
    const home = temporaryDirectory({
      'c.yaml': `
Node:
  Labels: { zone: eu, "example.org/gpu": "no" }
  Compute: { Capacity: { CPU: 1.5, Memory: 2GiB } }
  Requester: { Archive: { Directory: ./old jobs } }
Compaction: { Fold: { After: never }, Rewrite: { AtStart: false, Every: 6h, DeadShare: 0.3, MinSize: 1GiB } }
Recovery:
  Preset: Documented
  Cells:
    Running: { service: rerun, batch: fail }
    Publishing: publish
  AgeRules:
    - { State: created, OlderThan: 1h, Action: fail }
    - { State: Running, JobType: ops, OlderThan: 60000, Action: none }
  Interruptions: { Limit: 3, Backoff: 5s }
Retention:
  - { MaxAge: 30d }
  - { Namespace: ci, State: failed, MaxCount: 100, MaxBytes: 1GiB }
Leases: { RetryDelays: [500ms, 2s, 1000] }
Engines: { Wasm: { MemoryLimit: 64MiB } }
Inputs: { AllowedHosts: ['files.internal', 'localhost:8080', '[::1]:80'] }
`,
    })
    const { config, errors } = loadConfig({ env: { HOME: home }, files: ['c.yaml'], cwd: home })
    expect(errors).toEqual([])
    expect(config?.labels).toEqual({ zone: 'eu', 'example.org/gpu': 'no' })
    expect(config?.compute.capacity).toEqual({
      cpu: 1.5,
      memoryBytes: 2_147_483_648,
      diskBytes: undefined,
      gpu: 0,
    })
    expect(config?.recovery).toEqual({
      preset: 'expire',
      cells: {
        Running: { service: 'rerun', batch: 'fail' },
        Publishing: { batch: 'publish', ops: 'publish', service: 'publish', daemon: 'publish' },
      },
      ageRules: [
        { state: 'Created', olderThanMs: 3_600_000, action: 'fail' },
        { state: 'Running', jobType: 'ops', olderThanMs: 60_000, action: 'none' },
      ],
      keepForMs: 3_600_000,
      interruptions: { limit: 3, immediate: 2, backoffMs: 5000, maxBackoffMs: 60_000 },
    })
    expect(config?.retention).toEqual([
      { maxAgeMs: 2_592_000_000 },
      { namespace: 'ci', state: 'Failed', maxCount: 100, maxBytes: 1_073_741_824 },
    ])
    expect(config?.archive.directory).toBe(join(home, 'old jobs'))
    expect(config?.compaction.rewrite).toEqual({
      atStart: false,
      everyMs: 21_600_000,
      deadShare: 0.3,
      minBytes: 1_073_741_824,
    })
    expect(config?.leases.retryDelaysMs).toEqual([500, 2000, 1000])
    expect(config?.engines.wasm.memoryLimitBytes).toBe(67_108_864)
    expect(config?.inputs.allowedHosts).toEqual(['files.internal', 'localhost:8080', '[::1]:80'])
  })
})
