/** The words of YAML 1.1 for true and false that are texts in YAML 1.2. */
const WORDS = /^(?:([yY]|[yY]es|YES|[oO]n|ON)|[nN]|[nN]o|NO|[oO]ff|OFF)$/
/** The words that are more than texts in both. */
const KNOWN_WORDS: ReadonlyMap<string, string> = new Map([
  ...['true', 'True', 'TRUE'].map((word) => [word, 'true'] as const),
  ...['false', 'False', 'FALSE'].map((word) => [word, 'false'] as const),
  ...['null', 'Null', 'NULL', '~'].map((word) => [word, 'nothing'] as const),
])

/** Numbers with a base, as Go writes them. */
const BASED = /^([-+]?)(0(?:[bB][01]+|[oO][0-7]+|[xX][\da-fA-F]+))$/
const OCTAL = /^[-+]?0[0-7]+$/
const DECIMAL = /^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/

/**
 * Says what Bacalhau's command line, which reads YAML 1.1, makes of a plain scalar that is a text in YAML 1.2;
 * `undefined` where it is a text there too.
 */
export function readByOthers(source: string): boolean | number | undefined {
  const word = WORDS.exec(source)
  if (word !== null) return word[1] !== undefined
  // What begins with a line is a word.
  if (source.startsWith('_')) return undefined
  const digits = source.replaceAll('_', '')
  const [, sign, based] = BASED.exec(digits) ?? []
  if (based !== undefined) return sign === '-' ? -Number(based) : Number(based)
  if (OCTAL.test(digits)) return Number.parseInt(digits, 8)
  return DECIMAL.test(digits) ? Number(digits) : undefined
}

/** Says what it makes of a plain key, where that is another one than is written; `undefined` else. */
export function keyByOthers(source: string): string | undefined {
  const key = KNOWN_WORDS.get(source) ?? String(readByOthers(source) ?? source)
  return key === source ? undefined : key
}
