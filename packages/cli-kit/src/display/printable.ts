/**
 * Control characters (C0, C1), the ends of lines and paragraphs of Unicode, and its format characters: those that
 * turn the direction of text, that take no room, and that nobody sees.
 */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu
/** The end of a line, as Unix and Windows write it; and a tab, which only moves on. */
const HARMLESS = new Set(['\n', '\r\n', '\t'])
const UNSAFE_IN_OUTPUT = /\r\n|[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu

/** Escapes what could command a terminal or hide in it, so that it is seen instead; the ends of lines too. */
export function printable(text: string): string {
  return text.replaceAll(UNSAFE, escaped)
}

/** Escapes like {@link printable}, but leaves the ends of lines, for text that the program itself laid out. */
export function printableLines(text: string): string {
  return text.replaceAll(UNSAFE, (character) => (character === '\n' ? character : escaped(character)))
}

/** Escapes like {@link printable}, but leaves the ends of lines and tabs, for what another program wrote. */
export function printableOutput(text: string): string {
  return text.replaceAll(UNSAFE_IN_OUTPUT, (found) => (HARMLESS.has(found) ? found : escaped(found)))
}

/** Every unit by itself, so that what is escaped in JSON stays JSON. */
function escaped(character: string): string {
  if (character === '\n') return '\\n'
  if (character === '\t') return '\\t'
  let text = ''
  for (let index = 0; index < character.length; index++) {
    text += `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`
  }
  return text
}

/**
 * Makes text of others fit to be printed behind `width` characters: its further lines begin there too, those that
 * tabs set in by two more for each.
 */
export function indented(text: string, width: number): string {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => printable(line.replace(/^\t+/, (tabs) => '  '.repeat(tabs.length)).replaceAll('\t', ' ')))
    .join(`\n${' '.repeat(width)}`)
}
