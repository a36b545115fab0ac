/** One row of a store on its way from one file to another. */
export interface StoreTableRow {
  readonly table: string
  readonly key: Uint8Array
  readonly value: Uint8Array
}
