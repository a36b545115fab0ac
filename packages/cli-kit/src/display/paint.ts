import { styleText } from 'node:util'

/** A colour or weight of text, or several at once. */
export type TextStyle = Parameters<typeof styleText>[0]

/** Colours text where `colour` is wanted, and returns it as it is otherwise. */
export function paint(terminal: { readonly colour: boolean }, style: TextStyle, text: string): string {
  // The caller has looked at the terminal; styleText would look at another stream.
  return terminal.colour ? styleText(style, text, { validateStream: false }) : text
}
