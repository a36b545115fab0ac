// Runs an official node in the network namespace of this process and commands of the inspector on its repository while
// jobs are submitted, then starts it again beside them, and prints what happened:
// bacalhau-live-process.mjs DIRECTORY SECONDS
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { BacalhauNode } from '../../../test/bacalhau-node.mjs'

const [directory, seconds] = process.argv.slice(2)
const COMMANDS = [
  ['summary', directory, '--output', 'json'],
  ['jobs', directory, '--all', '--output', 'json'],
  ['executions', directory, '--limit', '50', '--output', 'json'],
  ['check', directory, '--output', 'json'],
]

const REPOSITORY = join(directory, 'imported')
const IMPORT = ['import', directory, '--to', REPOSITORY, '--apply', '--output', 'json']

const node = new BacalhauNode(directory, process.env['OFFICIAL'])
/** How often a file changed too fast, by the command. */
const tooFast = {}
const told = { runs: 0, mostJobs: 0, mostCompleted: 0, longestMs: 0, startsBesideReader: 0 }
/** How an import ended beside the node, and what came over once that had ended. */
const imported = { besideNode: null, jobs: 0, unexplained: null }
const session = fork(
  new URL('../../../test/program-session-process.mjs', import.meta.url),
  [new URL('../dist/cli/run.js', import.meta.url).href],
  { env: { PATH: process.env['PATH'] ?? '' }, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] },
)

const firstStartMs = await node.start()
const end = performance.now() + Number(seconds) * 1_000
await node.submitWhile(async () => {
  do await lookAtAll()
  while (performance.now() < end)
  imported.besideNode = (await run(IMPORT)).stderr
})
await node.stop()
// For a person, who compares it with the start beside commands; the short form has no time for it.
const aloneMs = Number(seconds) > 60 ? await startAlone() : null
let looking = true
const lookers = lookWhile()
const besideReaderMs = await node.start()
told.startsBesideReader += 1
looking = false
await lookers
await node.stop()
// The short form has no time for it.
if (Number(seconds) > 60) await importAll()
const exit = once(session, 'exit')
session.disconnect()
await exit
const starts = { firstStartMs, aloneMs, besideReaderMs }
process.stdout.write(
  `${JSON.stringify({ ...told, imported, tooFast, ...starts, jobs: node.jobs, errors: node.errors })}\n`,
)

async function startAlone() {
  const tookMs = await node.start()
  await node.stop()
  return tookMs
}

async function lookWhile() {
  while (looking) await lookAtAll()
}

async function lookAtAll() {
  for (const args of COMMANDS) await look(args)
}

async function importAll() {
  const { code, stdout, stderr } = await run(IMPORT)
  if (code !== 0) return node.errors.push(`import ended with ${code}: ${stderr}`)
  imported.jobs = JSON.parse(stdout).counts.jobs
  const compared = await run(['diff', directory, REPOSITORY])
  imported.unexplained = /(\d+) without$/m.exec(compared.stderr)?.[1]
  const checked = await run(['check', REPOSITORY])
  if (checked.code !== 0) node.errors.push(`check ended with ${checked.code}: ${checked.stdout}`)
}

async function run(args) {
  session.send({ id: 1, args, cwd: directory })
  for (;;) {
    const [message] = await once(session, 'message')
    // An import also says what it has begun, to whoever outlives it.
    if (message.id === 1) return message
  }
}

async function look(args) {
  const began = performance.now()
  const { code, stdout, stderr } = await run(args)
  told.longestMs = Math.max(told.longestMs, Math.round(performance.now() - began))
  told.runs += 1
  const complaints = stderr.split('\n').filter((line) => line.startsWith('Error'))
  const isTooFast = (line) => line.includes('changes too fast')
  const overtaken = complaints.filter(isTooFast).length
  if (overtaken > 0) tooFast[args[0]] = (tooFast[args[0]] ?? 0) + overtaken
  for (const line of complaints) if (!isTooFast(line)) node.errors.push(`${args[0]}: ${line}`)
  if (complaints.length === 0 && code !== 0) node.errors.push(`${args[0]} ended with ${code}: ${stderr}`)
  if (complaints.length > 0) return
  const said = JSON.parse(stdout)
  if (args[0] === 'jobs') told.mostJobs = Math.max(told.mostJobs, new Set(said.map(({ id }) => id)).size)
  const completed = args[0] === 'summary' ? (said.stores[1]?.executions.Completed ?? 0) : 0
  told.mostCompleted = Math.max(told.mostCompleted, completed)
}
