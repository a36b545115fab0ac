import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

const root = new URL('..', import.meta.url).pathname

interface Manifest {
  readonly name: string
  readonly version: string
  readonly license: string
  readonly type: string
  readonly engines: Readonly<Record<string, string>>
  readonly files: readonly string[]
  readonly bin?: Readonly<Record<string, string>>
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly publishConfig: { readonly exports?: unknown }
}

function readJson<T>(...path: readonly string[]): T {
  return JSON.parse(readFileSync(join(root, ...path), 'utf8')) as T
}

const folders = ['packages', 'apps'].flatMap((parent) =>
  readdirSync(join(root, parent)).map((name) => `${parent}/${name}`),
)
const manifests = new Map(folders.map((folder) => [folder, readJson<Manifest>(folder, 'package.json')]))
const folderOf = new Map([...manifests].map(([folder, manifest]) => [manifest.name, folder]))

/** What a package imports of ours; an app has it inside, and needs it only to be built. */
function siblings(manifest: Manifest): string[] {
  const imported = manifest.bin === undefined ? manifest.dependencies : manifest.devDependencies
  const folders = Object.keys(imported ?? {}).flatMap((name) => folderOf.get(name) ?? [])
  return folders.filter((folder) => manifest.bin === undefined || folder !== 'packages/store-testing')
}

describe.each([...manifests])('%s', (folder, manifest) => {
  test('has the shape of every package', () => {
    for (const part of ['src', 'README.md', 'tsconfig.json']) {
      expect(existsSync(join(root, folder, part)), part).toBe(true)
    }
    expect(manifest).toMatchObject({
      type: 'module',
      license: 'Apache-2.0',
      engines: { node: '>=20.19' },
      version: manifests.get('packages/store-core')?.version,
    })
    expect(manifest.files).toContain('!dist/**/*.tsbuildinfo')
  })

  test('publishes its exports without the sources', () => {
    const published = Object.fromEntries(
      Object.entries(manifest.exports).map(([subpath, target]) => {
        if (typeof target === 'string') return [subpath, target]
        expect(Object.keys(target)).toEqual(['@saltcod/source', 'types', 'default'])
        const { '@saltcod/source': source, ...rest } = target
        expect(existsSync(join(root, folder, source ?? '')), source).toBe(true)
        return [subpath, rest]
      }),
    )
    if (manifest.bin === undefined) expect(manifest.publishConfig.exports).toEqual(published)
    else expect(Object.keys(manifest.exports)).toEqual(['./package.json'])
  })

  test('refers in its tsconfig to exactly the siblings it depends on', () => {
    const { references = [] } = readJson<{ references?: { path: string }[] }>(folder, 'tsconfig.json')
    expect(references.map(({ path }) => join(folder, path)).sort()).toEqual(siblings(manifest).sort())
  })

  test('follows the arrows', () => {
    const libraries = siblings(manifest)
    if (['packages/store-core', 'packages/units'].includes(folder)) expect(libraries).toEqual([])
    else if (folder.startsWith('packages/')) {
      const recovery = folder === 'packages/config' ? ['packages/recovery'] : []
      expect(['packages/store-core', 'packages/units', ...recovery]).toEqual(
        expect.arrayContaining(libraries),
      )
    } else expect(libraries.filter((library) => library.startsWith('apps/'))).toEqual([])
    const ownsLmdb = folder === 'packages/store-lmdb' || manifest.bin !== undefined
    if (!ownsLmdb) expect(Object.keys(manifest.dependencies ?? {})).not.toContain('lmdb')
  })
})

test('the root builds every package', () => {
  const { references } = readJson<{ references: { path: string }[] }>('tsconfig.json')
  expect(references.map(({ path }) => path).sort()).toEqual([...folders].sort())
})

test('no library names a command of the inspector: its hints are for whoever calls it', () => {
  for (const name of readdirSync(join(root, 'packages'), { recursive: true, encoding: 'utf8' })) {
    if (!/^[^/]+\/src\/.*\.ts$/.test(name)) continue
    expect(readFileSync(join(root, 'packages', name), 'utf8'), name).not.toMatch(
      /saltcod-inspect|the inspector/,
    )
  }
})

test('native code has one exact version for all', () => {
  const catalog = /^catalog:\n(?<lines>(?: {2}.*\n)+)/m.exec(
    readFileSync(join(root, 'pnpm-workspace.yaml'), 'utf8'),
  )
  const versions = [...(catalog?.groups?.['lines'] ?? '').matchAll(/^ {2}(\S+): (.*)$/gm)]
  const native = Object.fromEntries(versions.map(([, name]) => [name, 'catalog:']))
  expect(Object.keys(native)).toEqual(['fs-native-extensions', 'lmdb'])
  for (const [, , version] of versions) expect(version).toMatch(/^\d+\.\d+\.\d+$/)
  expect(manifests.get('packages/store-lmdb')?.dependencies).toMatchObject(native)
  for (const { bin, dependencies } of manifests.values()) {
    if (bin !== undefined) expect(dependencies).toEqual(native)
  }
})
