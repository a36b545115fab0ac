import { spawnSync } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { PACKING_MS, packPackages, unpackPackage } from './packed-package.ts'
import { plainEnvironment } from './plain-environment.ts'
import { sharedDirectory } from './temporary-directory.ts'

const root = new URL('..', import.meta.url).pathname
const libraries = readdirSync(join(root, 'packages'))
const compiler = join(root, 'node_modules/typescript/bin/tsc')
const EXAMPLE_MS = 60_000
/** The strictness of a careful user; what else our own configuration adds to it is a matter of taste. */
const COMPILER_OPTIONS = {
  strict: true,
  noUncheckedIndexedAccess: true,
  noEmit: true,
  module: 'nodenext',
  target: 'es2022',
  types: ['node'],
}

interface Example {
  readonly readme: string
  readonly line: number
  readonly code: string
}

/** Every fenced block of JavaScript in a README is a whole program. */
function examplesOf(readme: string): Example[] {
  return blocksOf(readme, 'js')
}

/** Every fenced block of a language. One of TypeScript is about types alone: it is compiled, and not run. */
function blocksOf(readme: string, language: 'js' | 'ts'): Example[] {
  const text = readFileSync(join(root, readme), 'utf8')
  const blocks = new RegExp(`^\`\`\`${language}\\n(?<code>.*?)^\`\`\`$`, 'gms')
  return [...text.matchAll(blocks)].map((match) => ({
    readme,
    line: text.slice(0, match.index).split('\n').length + 1,
    code: match.groups?.['code'] ?? '',
  }))
}

describe('the examples of the READMEs, run with the packed libraries', () => {
  const project = sharedDirectory()

  beforeAll(() => {
    const tarballs = join(project, 'tarballs')
    mkdirSync(tarballs)
    const folders = libraries.map((library) => `packages/${library}`)
    packPackages(folders, tarballs)
    for (const library of libraries) {
      unpackPackage(`packages/${library}`, tarballs, join(project, 'node_modules/@saltcod', library))
    }
  }, PACKING_MS)

  const readmes = ['README.md', ...libraries.map((library) => `packages/${library}/README.md`)]

  test.each(readmes)('%s has an example', (readme) => {
    expect(examplesOf(readme)).not.toEqual([])
  })

  test('all of them are valid TypeScript too', () => {
    const typed = mkdtempSync(join(project, 'typed-'))
    const examples = readmes.flatMap((readme) => [...examplesOf(readme), ...blocksOf(readme, 'ts')])
    const names = examples.map(({ readme, line, code }) => {
      const name = `${readme.replaceAll('/', '-')}-${line}.ts`
      writeFileSync(join(typed, name), code)
      return name
    })
    writeFileSync(join(typed, 'package.json'), '{ "type": "module" }')
    writeFileSync(
      join(typed, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: COMPILER_OPTIONS, files: names }),
    )
    mkdirSync(join(project, 'node_modules/@types'), { recursive: true })
    symlinkSync(
      realpathSync(join(root, 'node_modules/@types/node')),
      join(project, 'node_modules/@types/node'),
    )
    const { status, stdout } = spawnSync(process.execPath, [compiler, '--project', '.'], {
      cwd: typed,
      encoding: 'utf8',
      timeout: PACKING_MS,
      killSignal: 'SIGKILL',
    })
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' })
  })

  test.each(readmes.flatMap(examplesOf))('$readme, line $line', ({ code }) => {
    const directory = mkdtempSync(join(project, 'example-'))
    writeFileSync(join(directory, 'example.mjs'), code)
    const { status, signal, stderr } = spawnSync(process.execPath, ['example.mjs'], {
      cwd: directory,
      encoding: 'utf8',
      // A home of its own: an example must not meet what lies in the developer's.
      env: { ...plainEnvironment(), HOME: directory },
      timeout: EXAMPLE_MS,
      killSignal: 'SIGKILL',
    })
    expect({ status, signal, stderr }).toEqual({ status: 0, signal: null, stderr: '' })
  })
})
