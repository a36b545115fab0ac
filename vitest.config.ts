import { defineConfig } from 'vitest/config'
import { NO_DOCKER } from './test/plain-environment.ts'

// Sibling packages resolve to their sources; processes that tests spawn run what is in dist.
const conditions = ['@saltcod/source', 'node', 'import', 'module', 'default']

// These files change nothing of their process and of the modules they import, so that one process runs many of them
// and loads each module once. Whoever mocks modules or timers, sets variables or maps files of a store runs alone.
const sharing = [
  'packages/{bacalhau-records,cli-kit,compaction,config,recovery,store-memory,units}/test/**/*.test.ts',
  'packages/store-core/test/!(kv)/**/*.test.ts',
  'packages/store-core/test/*.test.ts',
  'apps/node/test/{job-file,waiting,wire}/**/*.test.ts',
]
const everything = ['test/**/*.test.ts', 'packages/*/test/**/*.test.ts', 'apps/*/test/**/*.test.ts']
const never = ['**/node_modules/**', '**/dist/**']

export default defineConfig({
  ssr: { resolve: { conditions } },
  test: {
    pool: 'forks',
    // Most tests wait for processes and disks, so that two workers leave two cores idle a good part of the time.
    maxWorkers: 3,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    retry: 0,
    // No node finds a Docker of the machine by itself, so that tests see the same engines everywhere.
    env: { DOCKER_HOST: NO_DOCKER },
    projects: [
      { extends: true, test: { name: 'alone', include: everything, exclude: [...never, ...sharing] } },
      { extends: true, test: { name: 'sharing', include: sharing, exclude: never, isolate: false } },
    ],
  },
})
