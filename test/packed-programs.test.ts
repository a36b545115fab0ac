import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { beforeAll, expect, test } from 'vitest'
import { PACKING_MS, packPackages, unpackPackage } from './packed-package.ts'
import { plainEnvironment } from './plain-environment.ts'
import { sharedDirectory, temporaryDirectory } from './temporary-directory.ts'

const APPS = ['apps/node', 'apps/inspect']
const EXAMPLE = new URL('../examples/word-count.yaml', import.meta.url).pathname
const project = sharedDirectory()
const saltcod = join(project, 'apps/node/dist/main.js')
const inspector = join(project, 'apps/inspect/dist/main.js')

beforeAll(() => {
  const tarballs = join(project, 'tarballs')
  mkdirSync(tarballs)
  packPackages(APPS, tarballs)
  for (const app of APPS) unpackPackage(app, tarballs, join(project, app))
}, PACKING_MS)

function run(program: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
    encoding: 'utf8',
    env: { ...plainEnvironment(), HOME: project },
  })
  expect(status, stderr).toBe(0)
  return stdout
}

test('a packed program has all in it but native code, and the licences of what it has', () => {
  for (const app of APPS) {
    const manifest = JSON.parse(readFileSync(join(project, app, 'package.json'), 'utf8')) as {
      readonly dependencies: Readonly<Record<string, string>>
    }
    expect(Object.keys(manifest.dependencies)).toEqual(['fs-native-extensions', 'lmdb'])
    const licences = readFileSync(join(project, app, 'dist/third-party-licences.txt'), 'utf8')
    expect(licences).toMatch(/^commander \d.*\(MIT\)[\s\S]*Permission is hereby granted/m)
    expect(licences).toMatch(/^yaml \d.*\(ISC\)/m)
    expect(licences).not.toMatch(/@saltcod/)
  }
})

test('packed programs serve a node, run a job with all their processes, and look into its store', async () => {
  const repo = temporaryDirectory()
  const child = spawn(process.execPath, [saltcod, 'serve', '--repo', repo, '--port', '0'], {
    env: { ...plainEnvironment(), HOME: project },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const exited = once(child, 'exit')
  try {
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
    const node = ['--port', new URL(line.replace('listening on ', '')).port]
    expect(run(saltcod, ['job', 'run', ...node, EXAMPLE])).toMatch(/Completed/)
    expect(run(saltcod, ['job', 'list', ...node])).toMatch(/Completed/)
  } finally {
    child.kill()
  }
  expect((await exited)[0]).toBe(0)
  expect(run(inspector, ['check', repo])).not.toBe('')
})

test('what a packed program consists of maps to its sources', () => {
  for (const app of APPS) {
    const dist = join(project, app, 'dist')
    const map = JSON.parse(readFileSync(join(dist, 'main.js.map'), 'utf8')) as {
      readonly sources: readonly string[]
    }
    expect(map.sources).toContain('../src/main.ts')
    expect(readdirSync(join(dist, 'chunks')).length).toBeGreaterThan(2)
  }
})
