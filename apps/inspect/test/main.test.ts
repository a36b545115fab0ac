import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))

function inspect(...args: readonly string[]): { stdout: string; stderr: string; status: number | null } {
  return spawnSync(process.execPath, [main, ...args], { encoding: 'utf8' })
}

test('--version prints the version of the package', () => {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  expect(inspect('--version')).toMatchObject({ stdout: `${manifest.version}\n`, stderr: '', status: 0 })
})

test('--help prints to stdout', () => {
  const { stdout, stderr, status } = inspect('--help')
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 })
  expect(stdout).toContain('Usage: saltcod-inspect')
})

test('an unknown option is one clear line, and no stack trace', () => {
  const { stdout, stderr, status } = inspect('--nonsense')
  expect({ stdout, status }).toEqual({ stdout: '', status: 2 })
  expect(stderr).toBe("Error: unknown option '--nonsense'\nHint: see the usage with --help\n")
})

test('without a command it explains itself on stderr', () => {
  const { stdout, stderr, status } = inspect()
  expect({ stdout, status }).toEqual({ stdout: '', status: 2 })
  expect(stderr).toContain('Usage: saltcod-inspect')
})
