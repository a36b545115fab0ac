import { Failure, json, printable, printValue, shellWord, type Terminal } from '@saltcod/cli-kit'
import type { ReadOptions } from '../cli/options.ts'
import { EXIT } from '../exit-code.ts'
import { findBucket, keyText, parseKey } from '../store/buckets.ts'
import { locateStore } from '../store/locate.ts'
import { openStore } from '../store/open-store.ts'
import { Secrets, secretsOfStore } from '../store/secrets.ts'
import { printRowValue, type ValueOptions } from '../store/value-text.ts'

/** Options of `get`. */
export interface GetOptions extends ReadOptions, ValueOptions {}

/** Prints the value under a key. */
export async function get(
  terminal: Terminal,
  store: string,
  name: string,
  keyArgument: string,
  options: GetOptions,
): Promise<undefined> {
  const opened = await openStore(await locateStore(store))
  try {
    const bucket = findBucket(opened.kind, name)
    const key = parseKey(bucket, keyArgument)
    const value = opened.kv.read((snapshot) => snapshot.get(bucket.table, key))
    if (value === undefined) {
      throw new Failure(EXIT.findings, `there is no key ${keyText(bucket, key)} in ${name}`, {
        hint: `list them with saltcod-inspect keys ${shellWord(store)} ${shellWord(name)}`,
      })
    }
    const printed = printRowValue(bucket.table, key, value, {
      ...options,
      kind: opened.kind,
      secrets: options.showSecrets === true ? new Secrets() : secretsOfStore(opened),
    })
    const whole = 'json' in printed ? printed.json : printed.text
    printValue(terminal, options.output, whole, () =>
      'json' in printed ? `${json(printed.json, 2)}\n` : `${printable(printed.text)}\n`,
    )
  } finally {
    await opened.kv.close()
  }
  return undefined
}
