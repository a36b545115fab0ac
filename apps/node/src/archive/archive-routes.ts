import {
  type ClientVersion,
  executionToWire,
  historyToWire,
  type JobSpec,
  jobToWire,
  toRfc3339,
  type WireGetJobAnswer,
  type WirePage,
} from '@saltcod/bacalhau-records'
import { type Archive, type ArchiveEntry, findInArchive } from '@saltcod/compaction'
import type { WholeJob } from '@saltcod/store-core'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { type ApiContext, checkId, clientOf } from '../requester/api/api-context.ts'
import { readPageToken, writePageToken } from '../requester/api/page-token.ts'
import { Query } from '../requester/api/query.ts'
import type { HoldAnswer } from '../retention/gc-routes.ts'
import { ApiError } from '../wire/api-error.ts'

const PATH = '/api/v1/saltcod/archive'
const MAX_PAGE = 1000
/** Without it the next run of retention would remove a job again that came back. */
const HOLD = 'restored from the archive'

/** A job of the archive as a listing shows it. */
export interface ArchivedItem {
  readonly ID: string
  readonly Name: string
  readonly Namespace: string
  readonly State: string
  readonly FinishedAt: string
  readonly ArchivedAt: string
}

/** A job of the archive with all that belongs to it. */
export interface ArchivedJobAnswer extends WireGetJobAnswer {
  readonly ArchivedAt: string
}

/** Adds reading the archive, and bringing jobs back. */
export function addArchiveRoutes(api: FastifyInstance, context: ApiContext, archive: Archive | null): void {
  const required = (): Archive => {
    if (archive !== null) return archive
    throw new ApiError('NotFound', 'this node keeps no archive', {
      hint: 'set Node.Requester.Archive.Directory in its configuration and start it again',
    })
  }
  const find = async (request: FastifyRequest<{ Params: { id: string } }>): Promise<ArchiveEntry> => {
    checkId('job', request.params.id)
    return await findInArchive(
      required(),
      request.params.id,
      new Query(request).text('namespace') ?? undefined,
    )
  }
  api.get(PATH, (request) => listArchive(required(), new Query(request)))
  api.get<{ Params: { id: string } }>(`${PATH}/:id`, async (request) => {
    const entry = await find(request)
    return await showArchived(required(), entry, clientOf(request), context.nodeId)
  })
  api.post<{ Params: { id: string } }>(`${PATH}/:id/restore`, async (request): Promise<HoldAnswer> => {
    const { id } = await find(request)
    const whole = await readWhole(required(), id)
    const job = await context.requester.store.importJob({ ...whole, hold: HOLD })
    request.log.info({ job: job.id, name: job.name }, 'a job was restored from the archive')
    return { JobID: job.id, Hold: job.hold, HeldBefore: null }
  })
}

/** What is in the archive of a node was written by a node, so that its specifications have this shape. */
async function readWhole(archive: Archive, id: string): Promise<WholeJob<JobSpec>> {
  const whole = await archive.get(id)
  if (whole === null)
    throw new ApiError('NotFound', `job ${id} is not in the archive`, {
      hint: 'list the archive to see what is there',
    })
  return whole as unknown as WholeJob<JobSpec>
}

async function listArchive(archive: Archive, query: Query): Promise<WirePage<ArchivedItem>> {
  const namespace = query.text('namespace')
  const text = query.text('next_token')
  const token = text === null ? null : readPageToken(text)
  const given = token?.limit ?? query.whole('limit') ?? 0
  const limit = given === 0 ? MAX_PAGE : Math.min(given, MAX_PAGE)
  const offset = token?.offset ?? 0
  const items: ArchivedItem[] = []
  let place = 0
  for await (const entry of archive.list()) {
    place += 1
    if (place <= offset || (namespace !== null && entry.namespace !== namespace)) continue
    if (items.length === limit) {
      const next = { offset: place - 1, limit, reverse: false, orderBy: 'archived_at' }
      return { NextToken: writePageToken(next), Items: items }
    }
    items.push(itemOf(entry))
  }
  return { NextToken: '', Items: items }
}

function itemOf(entry: ArchiveEntry): ArchivedItem {
  return {
    ID: entry.id,
    Name: entry.name,
    Namespace: entry.namespace,
    State: entry.state,
    FinishedAt: toRfc3339(entry.finishedAtMs),
    ArchivedAt: toRfc3339(entry.archivedAtMs),
  }
}

async function showArchived(
  archive: Archive,
  { id, archivedAtMs }: ArchiveEntry,
  client: ClientVersion,
  requesterId: string,
): Promise<ArchivedJobAnswer> {
  const whole = await readWhole(archive, id)
  const newest = whole.versions.at(-1)
  if (newest === undefined)
    throw new ApiError('NotFound', `job ${id} is not in the archive`, {
      hint: 'list the archive to see what is there',
    })
  const taskName = newest.spec.Tasks[0]?.Name ?? 'main'
  return {
    Job: jobToWire(newest, client, requesterId),
    Executions: {
      NextToken: '',
      Items: whole.executions.map((execution) => executionToWire(execution, taskName, client)),
    },
    History: { NextToken: '', Items: whole.history.map((entry) => historyToWire(entry, client)) },
    ArchivedAt: toRfc3339(archivedAtMs),
  }
}
