/** Root pages whose places lie together. */
const PAGES_A_BLOCK = 512

/** By the root page of each bucket that was met, the place of the row that led there: 8 bytes each. */
export class BucketRoots {
  readonly #blocks = new Map<number, Float64Array>()

  /** Notes the place of a row that leads to a root, if it is the first one. Returns the one that is noted. */
  firstPlace(root: number, place: number): number {
    const index = Math.floor(root / PAGES_A_BLOCK)
    let places = this.#blocks.get(index)
    if (places === undefined) {
      places = new Float64Array(PAGES_A_BLOCK).fill(-1)
      this.#blocks.set(index, places)
    }
    const at = root % PAGES_A_BLOCK
    const known = places[at] ?? -1
    if (known >= 0) return known
    places[at] = place
    return place
  }
}
