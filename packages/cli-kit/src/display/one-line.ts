/** Puts the lines of a text into one, without the dots that begin them; for a cell of a table. */
export function oneLine(text: string): string {
  return text
    .split('\n')
    .map((line) => line.replace(/^\s*[•*-]\s+/, '').trim())
    .filter((line) => line !== '')
    .join(' | ')
}
