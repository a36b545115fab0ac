/** Shortens a text that a client sent before it is repeated to people. */
export function shortText(text: string, maxLength: number): string {
  return text.length > maxLength ? `${text.slice(0, maxLength)}…` : text
}
