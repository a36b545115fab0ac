import { failedError, KvChangeBuffer, type KvGroupWriter } from '@saltcod/store-core/backend'

import { QUARANTINE } from '../file/suspect-walk.ts'
import type { Environment } from '../native/environment.ts'
import { freePagesOf } from './free-pages.ts'
import { PageEstimate } from './page-estimate.ts'
import type { Reserve } from './reserve.ts'

/** What one group changes, with the room that it takes in the file. */
export class GroupBuffer extends KvChangeBuffer implements KvGroupWriter {
  readonly #environment: Environment
  readonly #reserve: Reserve
  readonly #tables: ReadonlySet<string>
  readonly #estimate: PageEstimate
  readonly #isLeft: boolean
  #freePages: number | undefined
  #quarantined = false

  /** `isLeft` tells whether the changes are left to another transaction than the one that the bodies run in. */
  constructor(environment: Environment, reserve: Reserve, tables: ReadonlySet<string>, isLeft: boolean) {
    super(environment)
    this.#isLeft = isLeft
    this.#environment = environment
    this.#reserve = reserve
    this.#tables = tables
    this.#estimate = new PageEstimate(environment.pageBytes, reserve.usedPages, (table) =>
      environment.treeSize(table),
    )
  }

  /** The most pages that the commit may take. */
  get pages(): number {
    return this.#estimate.pages
  }

  /** Whether a damaged record has been noted. */
  get hasQuarantined(): boolean {
    return this.#quarantined
  }

  get isShort(): boolean {
    return this.#reserve.isShort
  }

  /** Claims room for all of a body's changes before the next body runs, so that it is refused whole. */
  override keep(frees: boolean): void {
    let changed = false
    let quarantines = false
    this.visitPending(({ table, key, value }, before) => {
      if (table === QUARANTINE && value !== null) quarantines = true
      if (value === null) this.#estimate.remove(table)
      else if (before === undefined || value.length > (before.value?.length ?? -1))
        this.#estimate.put(table, key.length, value.length)
      else return
      changed = true
    })
    if (changed) this.#reserve.ensure(this.#estimate.pages, frees, () => this.#countFreePages())
    if (quarantines) this.#quarantined = true
    super.keep()
  }

  override undo(): void {
    super.undo()
    const { fault, path } = this.#environment
    if (fault !== undefined) throw failedError(path, fault)
  }

  override apply(): void {
    if (!this.#isLeft) super.apply()
  }

  /** Pages inside the file that hold nothing, as the transaction under way sees it. */
  #countFreePages(): number {
    this.#freePages ??= freePagesOf(this.#environment, this.#tables)
    return this.#freePages
  }
}
