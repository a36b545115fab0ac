import type { KvSnapshot, KvTransaction } from '../kv/contract.ts'
import { tuple } from '../kv/tuple.ts'
import { type MigrationRow, migrationTable } from '../rows/meta-table.ts'
import type { Mutation } from '../rows/mutation.ts'

/**
 * What one kind of store has to do to become one of the next schema, beside the number. A migration begins with a
 * backup and, in one transaction, the new number of the schema and a row that says what is left to do; then come its
 * steps, each a transaction that takes that row further; the last one removes it. So a process may die anywhere:
 * whoever opens the store next goes on.
 */
export interface Migration {
  /** The schema that it begins with; it ends with the next. */
  readonly from: number
  /** Does a part of the work, behind a place; returns the next place, and `null` at the end. */
  readonly step: (mutation: Mutation, after: string) => string | null
}

const MIGRATION_KEY = tuple('migration')

/** Returns what is left to be done; `undefined` where nothing is. */
export function readMigration(snapshot: KvSnapshot): MigrationRow | undefined {
  return migrationTable.get(snapshot, MIGRATION_KEY)
}

/** Writes down what is left to be done; `null` for nothing. */
export function writeMigration(rows: KvTransaction, row: MigrationRow | null): void {
  if (row === null) rows.remove('meta', MIGRATION_KEY)
  else migrationTable.put(rows, MIGRATION_KEY, row)
}
