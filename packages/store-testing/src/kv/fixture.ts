import type { KvStore } from '@saltcod/store-core/backend'

/** The tables that a store handed to the suite must have. */
export const KV_SUITE_TABLES: readonly string[] = ['alpha', 'beta']

/** The first of {@link KV_SUITE_TABLES}. */
export const ALPHA: string = 'alpha'

/** The second of {@link KV_SUITE_TABLES}. */
export const BETA: string = 'beta'

/** One empty store for one test, and what else the suite may ask about it. */
export interface KvFixture {
  /** An empty store with the tables {@link KV_SUITE_TABLES}. */
  readonly kv: KvStore
  /** Opens the same data again, after the suite closed it. A durable backend must give it. */
  readonly reopen?: () => Promise<KvStore>
  /** Opens the same data for reading only, after the suite closed it; absent where there is no such mode. */
  readonly openReadOnly?: () => Promise<KvStore>
  /** A path that does not exist. A backend that can `backup` must give it. */
  readonly backupPath?: string
  /** Opens what `backup` wrote. A backend that can `backup` must give it. */
  readonly openBackup?: () => Promise<KvStore>
  /**
   * Opens another empty store that is full before it holds 32 MiB: by a quota, a limit of pages or a small disk. A
   * backend that can run out of room must give it.
   */
  readonly openSmall?: () => Promise<KvStore>
  /**
   * Damages pages on which rows of the first table lie, beneath the open store or after closing it, and returns the
   * store that is to meet them, open for writing. A backend with a file must give it.
   */
  readonly damage?: () => Promise<KvStore>
  /** Closes whatever is open and removes what is on disk. The suite has closed all stores before. */
  readonly dispose: () => Promise<void>
}

/** What a test function may get from its runner: a way to say that it does not apply. */
export interface SuiteTestContext {
  skip?: (reason: string) => unknown
}

/** The two functions of a test runner; those of Vitest, `node:test` and others fit as they are. */
export interface SuiteRunner {
  readonly describe: (name: string, body: () => void) => unknown
  readonly test: (name: string, body: (context: SuiteTestContext) => Promise<void>) => unknown
}

/** What one case of the suite works with. */
export interface KvCaseContext {
  readonly kv: KvStore
  readonly fixture: KvFixture
  /** Seed of the cases that draw random numbers; it is part of their failure messages. */
  readonly seed: number
  /** Closes the store that is open, opens the data again and returns that. */
  readonly reopen: () => Promise<KvStore>
  /** Hands over a store to be closed with the others when the case is over, and returns it. */
  readonly adopt: (kv: KvStore) => KvStore
}

/** One case of the suite. */
export interface KvCase {
  readonly name: string
  /** Returns why the case does not apply to a backend, or `undefined` where it does. */
  readonly skip?: (kv: KvStore, fixture: KvFixture) => string | undefined
  readonly run: (context: KvCaseContext) => Promise<void> | void
}

/** Runs one case on a store of its own, which is disposed of whatever happens. Returns a reason to skip, if any. */
export async function runKvCase(
  kvCase: KvCase,
  open: () => Promise<KvFixture>,
  seed: number,
): Promise<string | undefined> {
  const fixture = await open()
  const stores: KvStore[] = [fixture.kv]
  const adopt = (kv: KvStore): KvStore => {
    stores.push(kv)
    return kv
  }
  const reopen = async (): Promise<KvStore> => {
    if (fixture.reopen === undefined) throw new TypeError('A durable backend must give the suite `reopen`.')
    await stores.at(-1)?.close()
    return adopt(await fixture.reopen())
  }
  try {
    const reason = kvCase.skip?.(fixture.kv, fixture)
    if (reason === undefined) await kvCase.run({ kv: fixture.kv, fixture, seed, reopen, adopt })
    return reason
  } finally {
    for (const kv of stores) await kv.close()
    await fixture.dispose()
  }
}
