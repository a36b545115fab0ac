import type { Candidates, Question } from '@saltcod/cli-kit'
import { JOB_STATES } from '@saltcod/store-core'
import { Argument, type Command, type Option } from 'commander'
import { settingKeys, wordsOfFlag } from './setting-words.ts'

const JOB_IDS: Question = { command: 'completion-jobs', passOn: ['--repo', '--host', '--port', '--config'] }
const JOB_ORDERS: readonly string[] = ['created_at', 'modified_at']
const EXECUTION_ORDERS: readonly string[] = [...JOB_ORDERS, 'id', 'state']
const OPTION_WORDS: ReadonlyMap<string, readonly string[]> = new Map([
  ['--state', JOB_STATES],
  ['--event-type', ['all', 'job', 'execution']],
  ['--order-by', JOB_ORDERS],
  ['--wait', ['true', 'false']],
])

/** Tells what a shell may offer where the declaration of an argument or an option does not say it. */
export function candidatesOf(place: Argument | Option, command: Command): Candidates | undefined {
  if (!(place instanceof Argument)) {
    return place.argChoices === undefined ? optionCandidates(place.long ?? '', command.name()) : undefined
  }
  switch (place.name()) {
    case 'id':
      return command.parent?.name() === 'job' ? { ask: JOB_IDS } : {}
    case 'spec':
      return { files: true }
    case 'key':
      return { words: settingKeys() }
    default:
      return undefined
  }
}

function optionCandidates(name: string, command: string): Candidates | undefined {
  if (name === '--order-by' && command === 'executions') return { words: EXECUTION_ORDERS }
  const words = OPTION_WORDS.get(name) ?? wordsOfFlag(name)
  return words.length === 0 ? undefined : { words }
}
