import { collectWords, wholeNumber } from '@saltcod/cli-kit'
import { isStoreError, parseLabelSelector } from '@saltcod/store-core'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { readPairs } from '../job-file/template/variables.ts'
import { inputOf, publisherOf, readSourceUri, type SourceUri } from './source-uri.ts'

/** Adds the flags that describe a job whose task the command line makes. */
export function addJobDescription(command: Command): Command {
  return command
    .option('--name <name>', 'the name of the job')
    .option('--namespace <name>', 'the namespace of the job')
    .option('--priority <number>', 'the priority of the job', wholeNumber)
    .option('-l, --labels <labels>', 'labels of the job: key=value, with commas between', collectWords)
    .option('--count <number>', 'on how many nodes it runs', wholeNumber)
    .addOption(
      new Option('--target <nodes>', 'any: on as many nodes as --count says; all: on all that match')
        .choices(['any', 'all'])
        .default('any'),
    )
    .option(
      '--constraints <selector>',
      'only on nodes with these labels: key=value, key in (a,b), !key',
      checkedSelector,
    )
}

/** Adds the flags that describe the task, whatever its engine. */
export function addTaskFlags(command: Command): Command {
  return command
    .option('--task-name <name>', 'the name of its task', 'main')
    .option('-i, --input <source>', 'data that it finds; may be repeated', collectInputs)
    .option(
      '-o, --output <name:path>',
      'keep what it writes at the path, under the name; may be repeated',
      collectOutputs,
    )
    .option(
      '-p, --publisher <publisher>',
      'where results go: local, noop, ipfs or s3://BUCKET/KEY',
      checkedPublisher,
    )
    .option('--cpu <amount>', 'such as 500m or 2')
    .option('--memory <amount>', 'such as 512mb or 2gb')
    .option('--disk <amount>', 'such as 10gb')
    .option('--gpu <amount>', 'such as 1')
    .option('--network <type>', 'None, HTTP, Full, Host, Bridge or Default')
    .option('--domain <name>', 'what it may reach with --network HTTP; may be repeated', collectTexts)
    .option('--timeout <seconds>', 'how long the whole job may take', wholeNumber)
    .option('--queue-timeout <seconds>', 'how long it may wait for nodes', wholeNumber)
    .option('-e, --env <name=value>', 'a variable of its environment; may be repeated', collectVariables)
}

function collectTexts(text: string, earlier: readonly string[] | undefined): readonly string[] {
  return [...(earlier ?? []), text]
}

function collectVariables(
  text: string,
  earlier: readonly (readonly [string, string])[] | undefined,
): readonly (readonly [string, string])[] {
  const pairs = readPairs(text)
  if (pairs === undefined) throw new InvalidArgumentError('It must be name=value.')
  return [...(earlier ?? []), ...pairs]
}

function collectInputs(text: string, earlier: readonly SourceUri[] | undefined): readonly SourceUri[] {
  return [...(earlier ?? []), checked(text, inputOf)]
}

function checkedPublisher(text: string): SourceUri {
  return checked(text, publisherOf)
}

function checked(text: string, make: (uri: SourceUri) => unknown): SourceUri {
  try {
    const uri = readSourceUri(text)
    make(uri)
    return uri
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    throw new InvalidArgumentError(`${error.message}.`)
  }
}

function collectOutputs(
  text: string,
  earlier: readonly (readonly [string, string])[] | undefined,
): readonly (readonly [string, string])[] {
  const [name = '', path = '', more] = text.split(':')
  if (name === '' || path === '' || more !== undefined)
    throw new InvalidArgumentError('It must be name:path.')
  return [...(earlier ?? []), [name, path]]
}

function checkedSelector(selector: string): string {
  try {
    parseLabelSelector(selector)
    return selector
  } catch (error) {
    if (!isStoreError(error, 'INVALID_ARGUMENT')) throw error
    throw new InvalidArgumentError(`${error.message}.`)
  }
}
