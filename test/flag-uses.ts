import type { FlagUse } from '../packages/config/src/index.ts'

/**
 * Takes the flags of settings apart as a parser of arguments does: `--name value`, `--name=value`, or `--name` alone.
 */
export function flagUses(...words: readonly string[]): FlagUse[] {
  return words.flatMap((word, index) => {
    if (!word.startsWith('--')) return []
    const [name = '', ...values] = word.split('=')
    if (values.length > 0) return { name, value: values.join('=') }
    const next = words[index + 1]
    return { name, value: next === undefined || next.startsWith('--') ? true : next }
  })
}
