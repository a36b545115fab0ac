import { indented, localTime, paint, shortId, span, type Terminal } from '@saltcod/cli-kit'
import type { KnownExecution, WhyExecution } from '../wire/why-answer.ts'

const NAME_WIDTH = 12

/** Tells of each execution what both sides know of it, and how they stand to each other. */
export function whyText(
  terminal: Terminal,
  executions: readonly WhyExecution[],
  isRequester: boolean,
): string {
  const nowMs = Date.now()
  return executions
    .map((execution) => {
      const { ID, NodeID } = execution
      const rows = rowsOf(execution, isRequester, nowMs).map(
        ([name, text]) => `  ${name.padEnd(NAME_WIDTH)}${indented(text, NAME_WIDTH + 2)}\n`,
      )
      return `${paint(terminal, 'bold', `execution ${shortId(ID)} on ${shortId(NodeID)}`)}\n${rows.join('')}`
    })
    .join('\n')
}

function rowsOf(execution: WhyExecution, isRequester: boolean, nowMs: number): [string, string][] {
  const { Here, There, NotAsked, WaitingSince, Link } = execution
  const [requester, node] = isRequester ? [Here, There] : [There, Here]
  const none = NotAsked === '' ? 'it has no record of it' : `not known: ${NotAsked}`
  const heard =
    Link.LastHeard === ''
      ? 'not heard of since this process began'
      : `last heard of at ${localTime(Date.parse(Link.LastHeard))}, ${span(nowMs - Date.parse(Link.LastHeard))} ago`
  const since = Link.Since === '' ? '' : ` for ${span(nowMs - Date.parse(Link.Since))}`
  const why = Link.Reason === '' ? '' : `: ${Link.Reason}`
  return [
    ['requester', requester === null ? none : knownText(requester, nowMs)],
    ['node', node === null ? none : knownText(node, nowMs)],
    ['reports', reportsText(execution)],
    ['link', `${Link.State.toLowerCase()}${since}; ${heard}${why}`],
    ...(WaitingSince === ''
      ? []
      : [
          [
            isRequester ? 'orders' : 'unsent',
            `the oldest message to the other side has waited for ${span(nowMs - Date.parse(WaitingSince))}`,
          ] as [string, string],
        ]),
  ]
}

function reportsText({ Revision, ReportedRevision, Unreported }: WhyExecution): string {
  if (Unreported !== null) return Unreported === 0 ? 'all were taken' : `${Unreported} wait to be taken`
  if (ReportedRevision === 0 || ReportedRevision === null) return 'none was taken yet'
  const taken = `the newest that was taken is of revision ${ReportedRevision}`
  if (Revision === null) return taken
  return ReportedRevision >= Revision
    ? `${taken}, and nothing is newer`
    : `${taken}; the node is at revision ${Revision}`
}

function knownText({ State, Since, Message, EndReason, Attempt }: KnownExecution, nowMs: number): string {
  const attempt = Attempt === undefined || Attempt < 2 ? '' : `, attempt ${Attempt}`
  const reason = EndReason === null ? '' : ` (${EndReason})`
  const said = Message === '' || Message === State ? '' : `: ${Message}`
  return `${State}${reason} for ${span(nowMs - Date.parse(Since))}${attempt}${said}`
}
