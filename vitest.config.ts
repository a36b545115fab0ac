import { defineConfig } from 'vitest/config'

// Sibling packages resolve to their sources; processes that tests spawn run what is in dist.
const conditions = ['@saltcod/source', 'node', 'import', 'module', 'default']

export default defineConfig({
  ssr: { resolve: { conditions } },
  test: {
    include: ['test/**/*.test.ts', 'packages/*/test/**/*.test.ts', 'apps/*/test/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    pool: 'forks',
    // Most tests wait for processes and disks, so that two workers leave two cores idle a good part of the time.
    maxWorkers: 3,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    retry: 0,
  },
})
