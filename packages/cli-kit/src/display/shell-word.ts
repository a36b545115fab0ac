const PLAIN = /^[\w@%+=:,./-]+$/
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

/**
 * Writes a path or another word so that a command line that shows it can be pasted into a shell. What could command a
 * terminal is written as bash, zsh and ksh read it.
 */
export function shellWord(text: string): string {
  if (PLAIN.test(text)) return text
  if (text.search(UNSAFE) < 0) return `'${text.replaceAll("'", "'\\''")}'`
  const escaped = text.replaceAll(/['\\]/g, '\\$&').replaceAll(UNSAFE, octal)
  return `$'${escaped}'`
}

function octal(character: string): string {
  return [...Buffer.from(character)].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('')
}
