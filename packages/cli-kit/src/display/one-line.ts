/** Puts the lines of a text into one, without the dots that begin them and without tabs; for a cell of a table. */
export function oneLine(text: string): string {
  return text
    .split('\n')
    .map((line) =>
      line
        .replace(/^\s*[•*-]\s+/, '')
        .replaceAll('\t', ' ')
        .trim(),
    )
    .filter((line) => line !== '')
    .join(' | ')
}
