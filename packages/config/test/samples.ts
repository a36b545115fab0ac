/** The first bytes of a BoltDB file: a page header, the magic number, the version. */
export function boltFile(): Uint8Array {
  const page = Buffer.alloc(8192)
  for (const start of [0, 4096]) {
    page.writeUInt32LE(0xed0cdaed, start + 16)
    page.writeUInt32LE(2, start + 20)
  }
  return page
}

/** Puts a value under a key with dots, as a config file has it. */
export function nested(key: string, value: unknown): Record<string, unknown> {
  return key
    .split('.')
    .reduceRight<Record<string, unknown>>(
      (inner, name, level, all) => ({ [name]: level === all.length - 1 ? value : inner }),
      {},
    )
}
