import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { NO_DOCKER } from './test/plain-environment.ts'

const ROOT = fileURLToPath(new URL('.', import.meta.url))
const SOURCE = /^(apps|packages)\/([^/]+)\/src\/(.+)\.ts$/
/** Where the compiler puts what is in `src`. */
const COMPILED: Readonly<Record<string, string>> = { apps: 'compiled', packages: 'dist' }

/**
 * Leads from a test to what was built of a source, as users and the processes that tests spawn load it: Vite would
 * compile and load all sources again for nearly every file.
 */
const built = {
  name: 'built',
  enforce: 'pre' as const,
  resolveId(id: string, importer?: string): string | null {
    if (importer?.startsWith(ROOT) !== true || !id.startsWith('.')) return null
    const path = resolve(dirname(importer), id).slice(ROOT.length)
    const [source, kind = '', name, file] = SOURCE.exec(path) ?? []
    return source === undefined ? null : `${ROOT}${kind}/${name}/${COMPILED[kind]}/${file}.js`
  },
}
const server = { deps: { external: [/\/apps\/[^/]+\/compiled\//, /\/packages\/[^/]+\/dist\//] } }

// A module takes the place of another one in sources alone.
const mocking = ['apps/*/test/**/backend-statistics.test.ts', 'apps/inspect/test/why.test.ts']
const sources = ['@saltcod/source', 'node', 'import', 'module', 'default']

// These files leave their process and the modules that they import as they were, so that one process runs many of them
// and loads each module once. Whoever mocks modules or timers, maps files of a store that breaks or is told to, counts
// what the whole process has, or starts keepers in it runs alone.
const sharing = [
  'packages/{bacalhau-records,cli-kit,compaction,config,recovery,store-memory,units}/test/**/*.test.ts',
  'packages/store-core/test/!(kv)/**/*.test.ts',
  'packages/store-core/test/*.test.ts',
  'apps/inspect/test/**/*.test.ts',
  'apps/node/test/{access,chaos,cli,inputs,job-file,link,publishers,requester,retention,tls,waiting,wire}/**/*.test.ts',
  'apps/node/test/*.test.ts',
]
const everything = ['test/**/*.test.ts', 'packages/*/test/**/*.test.ts', 'apps/*/test/**/*.test.ts']
const never = ['**/node_modules/**', '**/dist/**', '**/compiled/**']

export default defineConfig({
  test: {
    pool: 'forks',
    globalSetup: ['test/built-workspace.ts'],
    // Most tests wait for processes and disks, so that two workers leave two cores idle a good part of the time.
    maxWorkers: 3,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    retry: 0,
    // No node finds a Docker of the machine by itself, so that tests see the same engines everywhere.
    env: { DOCKER_HOST: NO_DOCKER },
    projects: [
      {
        extends: true,
        plugins: [built],
        test: { name: 'alone', include: everything, exclude: [...never, ...mocking, ...sharing], server },
      },
      {
        extends: true,
        plugins: [built],
        test: { name: 'sharing', include: sharing, exclude: [...never, ...mocking], isolate: false, server },
      },
      {
        extends: true,
        ssr: { resolve: { conditions: sources } },
        test: { name: 'mocking', include: mocking, exclude: never },
      },
    ],
  },
})
