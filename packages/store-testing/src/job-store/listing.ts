import assert from 'node:assert/strict'

import type { JobQuery, JobState, JobStore, LabelRequirement } from '@saltcod/store-core'
import { idsOf, readAll } from '../store/pages.ts'
import { type JobCase, newJob, newJobs } from './job-case.ts'

/** Cases about which jobs a query finds, and in which order. */
export const listingCases: readonly JobCase[] = [
  {
    name: 'jobs come by creation, in a namespace, since and until a time, and the other way round',
    run: async ({ store, clock }) => {
      const startMs = clock.read()
      const ids: string[] = []
      for (let n = 0; n < 6; n++) {
        ids.push((await newJob(store, { namespace: n % 2 === 0 ? 'even' : 'odd' })).id)
        clock.step(10)
      }
      const found = async (query: JobQuery) => idsOf((await store.listJobs(query)).items)
      assert.deepEqual(await found({}), ids)
      assert.deepEqual(await found({ reverse: true }), [...ids].reverse())
      assert.deepEqual(await found({ namespace: 'odd' }), [ids[1], ids[3], ids[5]])
      assert.deepEqual(await found({ namespace: 'eve' }), [])
      assert.deepEqual(await found({ sinceMs: startMs + 20, untilMs: startMs + 50 }), ids.slice(2, 5))
      assert.deepEqual(await found({ sinceMs: startMs + 20, namespace: 'odd', reverse: true }), [
        ids[5],
        ids[3],
      ])
      assert.deepEqual(await found({ sinceMs: startMs + 60 }), [])
    },
  },
  {
    name: 'jobs of a state come by the time of the state, those that ended too',
    run: async ({ store, clock }) => {
      const [a, b, c] = (await newJobs(store, 3)) as [string, string, string]
      for (const [id, to] of [
        [c, 'Running'],
        [a, 'Running'],
        [b, 'Failed'],
      ] as const) {
        clock.step(10)
        await store.transitionJob({ jobId: id, to })
      }
      const found = async (query: JobQuery) => idsOf((await store.listJobs(query)).items)
      assert.deepEqual(await found({ states: ['Running'] }), [c, a])
      assert.deepEqual(await found({ states: ['Running'], reverse: true }), [a, c])
      assert.deepEqual(await found({ states: ['Failed'], namespace: 'default' }), [b])
      assert.deepEqual(await found({ states: ['Failed'], namespace: 'other' }), [])
      assert.deepEqual(await found({ states: ['Failed', 'Running'] }), [a, b, c])
      assert.deepEqual(await found({ states: ['Pending'] }), [])
    },
  },
  {
    name: 'jobs in progress, of a type and of all types, come by creation',
    run: async ({ store, clock }) => {
      const ids: string[] = []
      for (const type of ['service', 'batch', 'ops', 'batch', 'daemon'] as const) {
        ids.push((await newJob(store, { type })).id)
        clock.step(10)
      }
      await store.transitionJob({ jobId: ids[1] ?? '', to: 'Stopped' })
      const found = async (query: JobQuery) => idsOf((await store.listJobs(query)).items)
      assert.deepEqual(await found({ inProgress: true, type: 'batch' }), [ids[3]])
      assert.deepEqual(await found({ type: 'batch' }), [ids[1], ids[3]])
      assert.deepEqual(await found({ inProgress: true }), [ids[0], ids[2], ids[3], ids[4]])
      const paged = await readAll((request) => store.listJobs({ ...request, inProgress: true }), {
        limit: 1,
        reverse: true,
      })
      assert.deepEqual(idsOf(paged), [ids[4], ids[3], ids[2], ids[0]])
      await store.transitionJob({ jobId: ids[3] ?? '', to: 'Running' })
      assert.deepEqual(await found({ inProgress: true, type: 'batch' }), [ids[3]])
    },
  },
  {
    name: 'every combination of conditions finds what a filter over all jobs finds',
    run: async ({ store, clock }) => {
      const states: readonly JobState[] = ['Pending', 'Queued', 'Running', 'Completed', 'Failed']
      for (let n = 0; n < 40; n++) {
        const { id } = await newJob(store, {
          namespace: n % 3 === 0 ? 'a' : 'b',
          type: n % 2 === 0 ? 'batch' : 'service',
          labels: n % 4 === 0 ? { tier: String(n % 8) } : {},
        })
        const to = states[n % 5] ?? 'Pending'
        if (to !== 'Pending') await store.transitionJob({ jobId: id, to })
        if (n % 7 === 0) clock.step(1)
      }
      await compareWithFilter(store, clock.read() - 3)
    },
  },
  {
    name: 'labels: equal, unequal, in, not in, there, not there, greater, less',
    run: async ({ store }) => {
      const labels = [{ env: 'prod', size: '10' }, { env: 'test', size: '9' }, { env: '' }, {}]
      const ids = await newJobs(store, 4, (n) => ({ labels: labels[n] ?? {} }))
      const [prod, test, empty, none] = ids as [string, string, string, string]
      const cases: readonly (readonly [LabelRequirement, readonly string[]])[] = [
        [{ key: 'env', operator: '=', values: ['prod'] }, [prod]],
        [{ key: 'env', operator: '=', values: [''] }, [empty]],
        [{ key: 'env', operator: '!=', values: ['prod'] }, [test, empty, none]],
        [{ key: 'env', operator: 'in', values: ['prod', 'test'] }, [prod, test]],
        [{ key: 'env', operator: 'notin', values: ['prod', 'test'] }, [empty, none]],
        [{ key: 'env', operator: 'exists', values: [] }, [prod, test, empty]],
        [{ key: 'env', operator: '!exists', values: [] }, [none]],
        [{ key: 'size', operator: 'gt', values: ['9'] }, [prod]],
        [{ key: 'size', operator: 'lt', values: ['10'] }, [test]],
        [{ key: 'toString', operator: 'exists', values: [] }, []],
        [{ key: '__proto__', operator: '!exists', values: [] }, ids],
      ]
      for (const [requirement, expected] of cases) {
        const { items } = await store.listJobs({ labels: [requirement] })
        assert.deepEqual(idsOf(items).sort(), [...expected].sort(), JSON.stringify(requirement))
      }
      const both = await store.listJobs({
        labels: [
          { key: 'env', operator: 'exists', values: [] },
          { key: 'size', operator: '=', values: ['9'] },
        ],
      })
      assert.deepEqual(idsOf(both.items), [test])
    },
  },
  {
    name: 'a page carries the cursor of its moment',
    run: async ({ store }) => {
      await newJob(store)
      const { feedCursor } = await store.listJobs()
      assert.deepEqual((await store.changes({ after: feedCursor })).changeSets, [])
      const { id } = await newJob(store)
      const { changeSets } = await store.changes({ after: feedCursor })
      assert.deepEqual(
        changeSets.flatMap(({ changes }) => changes).map((change) => change.id),
        [id],
      )
    },
  },
]

/** Compares listings with a filter over all jobs, for every combination of a few conditions. */
async function compareWithFilter(store: JobStore, sinceMs: number): Promise<void> {
  const all = await readAll((request) => store.listJobs(request))
  const orUndefined = <T>(...values: readonly T[]): readonly (T | undefined)[] => [undefined, ...values]
  for (const namespace of orUndefined('a')) {
    for (const type of orUndefined('service' as const)) {
      for (const states of orUndefined<readonly JobState[]>(
        ['Running'],
        ['Completed'],
        ['Failed', 'Pending'],
      )) {
        for (const inProgress of orUndefined(true)) {
          for (const since of orUndefined(sinceMs)) {
            for (const label of orUndefined('4')) {
              const query: JobQuery = {
                ...(namespace && { namespace }),
                ...(type && { type }),
                ...(states && { states }),
                ...(inProgress && { inProgress }),
                ...(since && { sinceMs: since }),
                ...(label && { labels: [{ key: 'tier', operator: '=', values: [label] }] }),
              }
              const expected = all.filter(
                (job) =>
                  (!namespace || job.namespace === namespace) &&
                  (!type || job.type === type) &&
                  (!states || states.includes(job.state)) &&
                  (!inProgress || job.finishedAtMs === null) &&
                  (!since || job.createdAtMs >= since) &&
                  (!label || job.labels['tier'] === label),
              )
              const found = await readAll((request) => store.listJobs({ ...query, ...request }), { limit: 3 })
              assert.deepEqual(idsOf(found).sort(), idsOf(expected).sort(), JSON.stringify(query))
            }
          }
        }
      }
    }
  }
}
