import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const DONE = 'SALTCOD_TESTS_BUILT'

/** Builds what has changed since it was built last, once for all projects: tests load it, and spawn it. */
export function setup(): void {
  if (process.env[DONE] !== undefined) return
  process.env[DONE] = ''
  // Turbo asks for pnpm, which is not on the path where vitest was started by itself.
  const build = [
    '-y',
    '--prefer-offline',
    'pnpm@12',
    'exec',
    'turbo',
    'run',
    'build',
    '--output-logs=errors-only',
  ]
  const env = { ...process.env, TURBO_TELEMETRY_DISABLED: '1' }
  execFileSync('npx', build, { cwd: ROOT, env, stdio: ['ignore', 'ignore', 'inherit'] })
}
