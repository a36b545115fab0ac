import { type Format, indented, localTime, paint, printValue, span, type Terminal } from '@saltcod/cli-kit'
import type { WhyAnswer } from '../../wire/why-answer.ts'
import { clientFor, type JobFlags } from '../configuration.ts'
import { whyText } from '../why-text.ts'

/** Options of `job why`. */
export interface JobWhyOptions extends JobFlags {
  readonly output: Format
}

/** Tells what the requester and the nodes know of the executions of a job, and how they stand to each other. */
export async function jobWhy(terminal: Terminal, id: string, options: JobWhyOptions): Promise<void> {
  const answer = await clientFor(terminal, options).why(id, { namespace: options.namespace })
  printValue(terminal, options.output, answer, () => textOf(terminal, answer))
}

function textOf(terminal: Terminal, { Job, Executions }: WhyAnswer): string {
  const executions = whyText(terminal, Executions, Job !== null)
  if (Job === null) return executions
  const { ID, Name, State, Since, Message } = Job
  const sinceMs = Date.parse(Since)
  const said = Message === '' || Message === State ? '' : `  ${indented(Message, 2)}\n`
  const head = `job ${Name} (${ID}) is ${paint(terminal, 'bold', State)} since ${localTime(sinceMs)}, for ${span(Date.now() - sinceMs)}\n${said}`
  return Executions.length === 0 ? `${head}  it has no executions\n` : `${head}\n${executions}`
}
