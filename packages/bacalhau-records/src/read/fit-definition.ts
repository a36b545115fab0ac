import type { JobDefinition } from '@saltcod/store-core'
import { MAX_LABELS, MAX_TEXT_BYTES } from '@saltcod/store-core/backend'
import type { JobSpec } from '../spec/job-spec.ts'
import type { TellHere } from './note.ts'

/** The largest count and priority that a store takes, whatever their sign. */
const MOST = 1_000_000
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const UNFIT = /[\u0000-\u001f\u007f]|\p{Surrogate}/gu
const UNFIT_ONE = new RegExp(UNFIT.source, 'u')

/** Makes names, labels and numbers such as a store takes, of which Bacalhau takes any, and tells of each. */
export function fitDefinition<T extends JobDefinition<JobSpec> & { readonly namespace: string }>(
  definition: T,
  tell: TellHere,
): T {
  const fitted = (what: string, text: string): string => {
    const fitting = fitText(text)
    if (fitting !== text)
      tell(
        'changed',
        'unfit-text',
        `its ${what} ${JSON.stringify(text.slice(0, 80))} is written ${JSON.stringify(fitting)} here`,
      )
    return fitting
  }
  const fitNumber = (what: string, number: number, least: number): number => {
    const fitting = Math.min(MOST, Math.max(least, Math.trunc(number)))
    if (fitting !== number) tell('changed', 'unfit-number', `its ${what} ${number} is ${fitting} here`)
    return fitting
  }
  return {
    ...definition,
    name: fitted('name', definition.name),
    namespace: fitted('namespace', definition.namespace),
    priority: fitNumber('priority', definition.priority, -MOST),
    count: fitNumber('count', definition.count, 0),
    labels: fitLabels(definition.labels, tell),
  }
}

function fitLabels(labels: Readonly<Record<string, string>>, tell: TellHere): Record<string, string> {
  const all = Object.entries(labels)
  const fitting = all.filter(
    ([key, value]) =>
      key.trim() !== '' &&
      fitText(key) === key &&
      (value.trim() === '' ? !UNFIT_ONE.test(value) : fitText(value) === value),
  )
  for (const [key, value] of all.filter((label) => !fitting.includes(label))) {
    const label = `${JSON.stringify(key.slice(0, 80))} with the value ${JSON.stringify(value.slice(0, 80))}`
    tell('dropped', 'unfit-text', `the label ${label} is none that a store takes and is left out`)
  }
  if (fitting.length > MAX_LABELS) {
    tell('dropped', 'unfit-number', `of ${fitting.length} labels the first ${MAX_LABELS} are kept`)
  }
  return Object.fromEntries(fitting.slice(0, MAX_LABELS))
}

/** Writes a name or a label as a store takes it; empty where it has nothing but spaces. */
export function fitText(text: string): string {
  if (text.trim() === '') return ''
  const plain = text.replaceAll(UNFIT, '_')
  if (Buffer.byteLength(plain) <= MAX_TEXT_BYTES) return plain
  let end = MAX_TEXT_BYTES
  while (Buffer.byteLength(plain.slice(0, end)) > MAX_TEXT_BYTES) end -= 1
  return plain.slice(0, end).replaceAll(UNFIT, '_')
}
