import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { flagUses } from '../../../test/flag-uses.ts'
import { temporaryDirectory } from '../../../test/temporary-directory.ts'
import { buildConfig } from '../src/config.ts'
import {
  configFlags,
  configSchema,
  defaultConfigYaml,
  formatProblem,
  getConfig,
  listConfig,
  loadConfig,
} from '../src/index.ts'
import type { AnySetting } from '../src/setting.ts'
import { SETTINGS } from '../src/settings.ts'

describe('listConfig and getConfig', () => {
  it('show every setting with value and origin', () => {
    const home = temporaryDirectory({ 'c.yaml': 'GracePeriod: 90s\nRetention:\n  - MaxAge: 24h\n' })
    const loaded = loadConfig({
      flags: flagUses('--port', '80'),
      env: { HOME: home, BACALHAU_NODE_ID: 'me' },
      files: ['c.yaml'],
      cwd: home,
    })
    const rows = listConfig(loaded)
    expect(rows.map(({ key }) => key)).toEqual(SETTINGS.map(({ key }) => key))
    const shown = Object.fromEntries(rows.map(({ key, text, originText }) => [key, [text, originText]]))
    expect(shown).toMatchObject({
      DataDir: [join(home, '.bacalhau'), 'default'],
      NodeID: ['me', 'BACALHAU_NODE_ID'],
      'Node.Type': ['["requester","compute"]', 'default'],
      'Node.Requester.JobStore.Path': ['(<repo>/<node-id>-requester/jobs.db)', 'default'],
      'API.Port': ['80', '--port'],
      GracePeriod: ['1m30s', 'c.yaml:1'],
      Retention: ['[{"MaxAge":"24h"}]', 'c.yaml:2'],
      'Quota.SpecSize': ['1MB', 'default'],
      'Leases.RetryDelays': ['["1s","5s","30s"]', 'default'],
    })
    expect(getConfig(loaded, 'api.port')).toMatchObject({ key: 'API.Port', value: 80 })
    expect(getConfig(loaded, 'API.Prot')).toBeUndefined()
  })

  it('leave out what is in error', () => {
    const loaded = loadConfig({ flags: flagUses('--port', 'x'), env: { HOME: temporaryDirectory() } })
    expect(listConfig(loaded).some(({ key }) => key === 'API.Port')).toBe(false)
    expect(getConfig(loaded, 'API.Port')).toBeUndefined()
    expect(getConfig(loaded, 'API.Host')?.text).toBe('127.0.0.1')
  })
})

describe('defaultConfigYaml', () => {
  it('reads as the defaults', () => {
    const home = temporaryDirectory({ 'c.yaml': defaultConfigYaml() })
    const env = { HOME: home }
    const written = loadConfig({ env, files: ['c.yaml'], cwd: home })
    expect(written.errors.map(formatProblem)).toEqual([])
    expect(written.config).toEqual(loadConfig({ env, cwd: home }).config)
    const missing = SETTINGS.filter(({ fallback }) => fallback !== undefined).filter(({ key }) => {
      return written.origins[key]?.kind !== 'file'
    })
    expect(missing).toEqual([])
  })

  it('names every setting and every other way to give it', () => {
    const text = defaultConfigYaml().replace(/\n *# /g, ' ')
    for (const { description, flag, environment } of SETTINGS) {
      for (const word of [description, flag, environment]) {
        if (word !== undefined) expect(text).toContain(word)
      }
    }
  })
})

describe('configSchema', () => {
  it('is what packages/config/schema.json holds', () => {
    const committed: unknown = JSON.parse(readFileSync(new URL('../schema.json', import.meta.url), 'utf8'))
    const hint = 'schema.json is out of date: run npx -y pnpm@12 schema'
    expect(committed, hint).toEqual(JSON.parse(JSON.stringify(configSchema())))
  })

  it('describes every key of the default file, and nothing else', () => {
    const check = (value: unknown, schema: Record<string, unknown>, path: string): void => {
      const { properties } = schema as { properties?: Record<string, Record<string, unknown>> }
      if (properties === undefined) {
        expect(schema['description'], path).toBeTypeOf('string')
        return
      }
      for (const [key, inner] of Object.entries((value ?? {}) as Record<string, unknown>)) {
        const child = properties[key]
        expect(child, `${path}.${key}`).toBeDefined()
        if (child !== undefined) check(inner, child, `${path}.${key}`)
      }
    }
    check(parse(defaultConfigYaml()), configSchema(), '')
  })
})

describe('the table of settings', () => {
  it('is read whole by the configuration', () => {
    const read = new Set<string>()
    const { config } = loadConfig({ env: { HOME: temporaryDirectory() } })
    expect(config).toBeDefined()
    buildConfig((setting) => {
      read.add(setting.key)
      // Only the roles are looked into while building.
      return setting.fallback as never
    })
    expect([...read].sort()).toEqual(SETTINGS.map(({ key }) => key).sort())
  })

  it('names no flag, variable or key twice', () => {
    const twice = (words: readonly (string | undefined)[]): string[] => {
      const known = words.filter((word) => word !== undefined).map((word) => word.toLowerCase())
      return known.filter((word, index) => known.indexOf(word) !== index)
    }
    expect(twice(SETTINGS.map(({ key }) => key))).toEqual([])
    expect(twice(SETTINGS.map(({ environment }) => environment))).toEqual([])
    expect(twice(configFlags().flatMap(({ flag, aliases }) => [flag, ...aliases]))).toEqual([])
  })

  it('ends descriptions with a full stop', () => {
    const open = SETTINGS.filter((setting: AnySetting) => !setting.description.endsWith('.'))
    expect(open.map(({ key }) => key)).toEqual([])
  })
})
