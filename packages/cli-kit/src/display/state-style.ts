import type { TextStyle } from './paint.ts'

const STYLES: ReadonlyMap<string, TextStyle> = new Map<string, TextStyle>([
  ['Running', 'cyan'],
  ['Publishing', 'cyan'],
  ['Completed', 'green'],
  ['Failed', 'red'],
  ['Stopped', 'yellow'],
  ['Cancelled', 'yellow'],
])

/** Returns the style in which the state of a job or an execution is shown; plain for those that wait. */
export function stateStyle(state: string): TextStyle {
  return STYLES.get(state) ?? 'reset'
}
