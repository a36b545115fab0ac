import { StoreError } from '../errors.ts'
import type { KvStore, KvTransaction } from '../kv/contract.ts'
import { steadyMoment } from '../rows/clock-row.ts'
import { readSequence, readStoreRow, SCHEMA_VERSION, type StoreRow, writeStoreRow } from '../rows/meta.ts'
import { Mutation } from '../rows/mutation.ts'
import { type Migration, readMigration, writeMigration } from './migration.ts'

/** What an opening has migrated. */
export interface MigrationReport {
  readonly from: number
  readonly to: number
  /** The path of the copy that was made before; `null` for a backend that makes none. */
  readonly backup: string | null
}

/**
 * Brings a store of an earlier schema to this release's: backs it up, then sets the schema and writes down what is
 * left to be done. Resolves with `null` where there is nothing to do. Throws what a backup throws, with everything as
 * it was.
 */
export async function beginMigration(kv: KvStore): Promise<MigrationReport | null> {
  const { row, sequence } = kv.read((snapshot) => ({
    row: readStoreRow(snapshot),
    sequence: readSequence(snapshot).newest,
  }))
  if (row === undefined || row.schema >= SCHEMA_VERSION) return null
  const backup = await backUp(kv, row.schema, sequence)
  await kv.write((rows) => raiseSchema(rows, row))
  return { from: row.schema, to: SCHEMA_VERSION, backup }
}

function raiseSchema(rows: KvTransaction, row: StoreRow): void {
  writeStoreRow(rows, { ...row, schema: SCHEMA_VERSION })
  writeMigration(rows, { from: row.schema, after: '' })
}

/** Migrates a file that was made of the records of another store, which is the copy from before. */
export async function migrateMade(
  kv: KvStore,
  migrations: readonly Migration[],
  nowMs: number,
): Promise<void> {
  await kv.write((rows) => {
    const row = readStoreRow(rows)
    if (row !== undefined && row.schema < SCHEMA_VERSION) raiseSchema(rows, row)
  })
  const step = (rows: KvTransaction): boolean => {
    const mutation = new Mutation(rows, steadyMoment(rows, nowMs))
    const more = migrateStep(mutation, migrations)
    mutation.finish()
    return more
  }
  while (await kv.write(step)) {
    // Each step is a transaction of its own.
  }
}

async function backUp(kv: KvStore, from: number, sequence: number): Promise<string | null> {
  const { backup } = kv.capabilities
  if (backup === undefined || !kv.capabilities.durable) return null
  // One that a process made which died right after is of the same sequence number, and so of the same content.
  const path = `${kv.location}.schema-${from}-${sequence}`
  try {
    await backup(path)
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== 'STORE_FOREIGN') throw error
  }
  return path
}

/** Takes a migration of a store one step further. Returns whether something is left to be done. */
export function migrateStep(mutation: Mutation, migrations: readonly Migration[]): boolean {
  const row = readMigration(mutation.rows)
  if (row === undefined) return false
  const migration = migrations.find(({ from }) => from === row.from)
  const after = migration?.step(mutation, row.after) ?? null
  if (after !== null) writeMigration(mutation.rows, { ...row, after })
  else writeMigration(mutation.rows, row.from + 1 < SCHEMA_VERSION ? { from: row.from + 1, after: '' } : null)
  return true
}
