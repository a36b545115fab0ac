import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { fileURLToPath } from 'node:url'
import { onTestFinished, test } from 'vitest'
import { eventually } from '../../../../test/eventually.ts'
import { IS_LONG } from '../../../../test/seed.ts'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { fetchFrom } from '../../src/client/node-address.ts'
import { fixedTrust } from '../../src/link/link-trust.ts'
import { noopJob } from '../node-fixture.ts'
import { type GuardedNode, serveGuarded } from './guarded-node.ts'
import { handshake, linkOf, sessionOf } from './shown-link.ts'

const PEER = fileURLToPath(new URL('hostile-peer.mjs', import.meta.url))
const FLOOD_MS = IS_LONG ? 10_000 : 0
const CALLERS = 32
const MIB = 1024 * 1024
/** What a flood may leave behind of the heap of Node.js, which is given back late. */
const MOST_GROWTH = 96 * MIB
/** Bodies of whoever may send some are kept while they are received, up to this. */
const MOST_BODIES = 128 * MIB

/**
 * Floods come from another address than honest clients do. What a peer of another machine may take is less than all of
 * it; peers of this one are not bounded, as everybody may come from there by way of a proxy.
 */
const OUTSIDE = IS_LONG
  ? Object.values(networkInterfaces())
      .flat()
      .find((one) => one?.family === 'IPv4' && !one.internal)?.address
  : undefined
const ATTACKER = { host: OUTSIDE ?? '127.0.0.1', localAddress: OUTSIDE ?? '127.0.0.3' }
const HOST = OUTSIDE === undefined ? '127.0.0.1' : '0.0.0.0'
/** On other addresses than those of this machine alone nobody knows by what names a node is called. */
const UNKNOWN_NAME = 'a name that leads here'

/** How each attack is answered; what is not here is refused with 401. */
const ANSWERS: Readonly<Record<string, string>> = {
  'a reader who changes': '403',
  'a token to join that reads': '403',
  'a credential of a node that reads': '403',
  'a token as a node': '403',
  'the id of another node': '403',
  'the id of another node, with a wrong token to join': '403',
  'a stolen credential of a deleted node, anew': '403',
  // It is told to shake hands first.
  'a stolen credential of a deleted node': '500',
  'a page of another origin': '403',
  [UNKNOWN_NAME]: '403',
  'a page of another origin, as a node': '403',
  'an endless body of an operator': '413',
  'http to what speaks TLS': 'closed',
  'an old TLS': 'closed',
}

/** Whoever goes on sending may find the connection closed before it has heard why. */
const SENDING: ReadonlySet<string> = new Set([
  'a slow body',
  'an endless body',
  'an endless body of an operator',
])

type Answers = Readonly<Record<string, number>>

/** Makes what an attacker may have got hold of. */
async function loot(node: GuardedNode): Promise<Readonly<Record<string, string>>> {
  const secret = (letter: string): string => letter.repeat(43)
  const [reader, joining, revoked] = [
    await node.token('reader'),
    await node.token('node'),
    await node.token('operator'),
  ]
  const expired = await node.token('operator', 1)
  await node.client.revokeToken(revoked.ID)
  const stolen = `saltcod1-node.n-1.${secret('s')}`
  for (const [id, credential] of [
    ['n-1', stolen],
    ['n-2', `saltcod1-node.n-2.${secret('o')}`],
  ] as const) {
    const link = linkOf(node, credential, joining.Token, fixedTrust(node.secure))
    sessionOf(await link.handshake(handshake(id)))
    link.close()
  }
  await node.client.changeNode('n-1', { Action: 'delete' })
  return {
    operator: node.operator,
    reader: reader.Token,
    node: joining.Token,
    revoked: revoked.Token,
    expired: expired.Token,
    wrong: `saltcod1.planted.${secret('w')}`,
    stolen,
    other: `saltcod1-node.n-2.${secret('x')}`,
  }
}

/** Starts the attacker. */
async function hostilePeer(node: GuardedNode, tokens: Readonly<Record<string, string>>) {
  const plan = JSON.stringify({ port: Number(new URL(node.url).port), ...ATTACKER, tokens })
  const peer = fork(PEER, [plan], { execArgv: ['--tls-min-v1.0'] })
  onTestFinished(() => void peer.kill('SIGKILL'))
  const [{ names }] = (await once(peer, 'message')) as [{ readonly names: readonly string[] }]
  const attack = async (name: string, forMs = 0, callers = 1, isKept = false): Promise<Answers> => {
    peer.send({ name, forMs, callers, isKept })
    const [{ answers }] = (await once(peer, 'message')) as [{ readonly answers: Answers }]
    return answers
  }
  return { names: names.filter((name) => OUTSIDE === undefined || name !== UNKNOWN_NAME), attack }
}

async function honest({ url, secure, operator }: GuardedNode, during: string): Promise<number> {
  const address = { base: url, secure, authorization: `Bearer ${operator}` }
  const beginMs = performance.now()
  const signal = AbortSignal.timeout(60_000)
  const answer = await fetchFrom(address, '/api/v1/orchestrator/jobs?limit=1', { signal })
  const text = await answer.text()
  assert.equal(answer.status, 200, `${during}: ${text}`)
  return performance.now() - beginMs
}

/** Asks until something is over, and returns how long the median and the hundredth answer took. */
async function honestDuring(
  node: GuardedNode,
  name: string,
  during: Promise<unknown>,
): Promise<readonly [number, number]> {
  const over = { is: false }
  void during.finally(() => {
    over.is = true
  })
  const took: number[] = []
  do took.push(await honest(node, name))
  while (!over.is)
  took.sort((a, b) => a - b)
  const at = (share: number): number => took[Math.floor((took.length - 1) * share)] ?? 0
  return [at(0.5), at(0.99)]
}

/** When peers were told to be refused, by the log. */
function refusalsIn(log: string): readonly { readonly peer: string; readonly atMs: number }[] {
  return log.split('\n').flatMap((line) => {
    if (!line.includes('"refused: ')) return []
    const { peer, time } = JSON.parse(line) as { readonly peer: string; readonly time: string }
    return [{ peer, atMs: Date.parse(time) }]
  })
}

/** The memory of a process that is in use, in bytes. */
function memoryOf({ pid }: GuardedNode): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024
}

test('a peer that means harm is refused whatever it tries, and told of once a minute', {
  timeout: 1_200_000,
}, async () => {
  const node = await serveGuarded(temporaryDirectory(), ['--node-type', 'requester', '--host', HOST])
  const tokens = await loot(node)
  const { names, attack } = await hostilePeer(node, tokens)
  for (const name of names) {
    const [answer] = Object.keys(await attack(name))
    const isUnheard = answer === 'closed' && SENDING.has(name)
    if (!isUnheard) assert.equal(answer, ANSWERS[name] ?? '401', name)
  }
  // What is said twice takes effect once.
  const job = noopJob({ Name: 'once' })
  const twice = [
    await node.client.submitJob(job, { idempotencyToken: 'k' }),
    await node.client.submitJob(job, { idempotencyToken: 'k' }),
  ]
  assert.equal(twice[0]?.JobID, twice[1]?.JobID)
  if (IS_LONG) {
    const rows: string[] = []
    const [calm, calmWorst] = await honestDuring(
      node,
      'nothing',
      new Promise((done) => setTimeout(done, FLOOD_MS)),
    )
    rows.push(`| nothing | | ${calm.toFixed(1)} | ${calmWorst.toFixed(1)} | |`)
    for (const name of names) {
      for (const isKept of name.includes('token') ? [true, false] : [false]) {
        const before = memoryOf(node)
        const flood = attack(name, FLOOD_MS, CALLERS, isKept)
        const [middle, worst] = await honestDuring(node, name, flood)
        const count = Object.values(await flood).reduce((sum, one) => sum + one, 0)
        const growth = memoryOf(node) - before
        const most = name.endsWith('of an operator') ? MOST_GROWTH + MOST_BODIES : MOST_GROWTH
        assert.ok(growth < most, `${name}: ${growth} bytes more`)
        const row = [`${name}${isKept ? ', on one connection' : ''}`, Math.round(count / (FLOOD_MS / 1000))]
        rows.push(
          `| ${[...row, middle.toFixed(1), worst.toFixed(1), Math.round(growth / MIB)].join(' | ')} |`,
        )
      }
    }
    process.stdout.write(`\n| attack | a second | median ms | p99 ms | MiB more |\n${rows.join('\n')}\n`)
  }
  await honest(node, 'what came before')
  await eventually('it is told of', () => refusalsIn(node.log()).length > 0)
  const told = refusalsIn(node.log())
  for (const [index, { peer, atMs }] of told.entries()) {
    assert.equal(peer, ATTACKER.localAddress)
    // By a clock that may be set, and written a moment later.
    const before = told[index - 1]
    assert.ok(before === undefined || atMs - before.atMs > 55_000, node.log())
  }
  for (const token of Object.values(tokens))
    assert.ok(!node.log().includes(token.split('.')[2] ?? ''), 'no secret is in the log')
})
