// Attacks a node over TLS from a process of its own, and answers how each connection was answered.
import { connect as connectPlainly } from 'node:net'
import { connect } from 'node:tls'

const JOBS = '/api/v1/orchestrator/jobs'
const NODES = '/api/v1/orchestrator/nodes'
const { port, host, localAddress, tokens } = JSON.parse(process.argv[2])

const bearer = (token) => `Authorization: Bearer ${token}\r\n`
const get = (path, headers = '', host = '127.0.0.1') =>
  `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${headers}\r\n`
const put = (path, headers, body) =>
  `PUT ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${headers}\r\n${body}`
const link = (name, credential, headers = '') =>
  `POST /link/v1/${name} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\n${bearer(credential)}${headers}\r\n{}`
const endless = (headers) =>
  `PUT ${JOBS} HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n${headers}\r\n`

/** What is said, and what is said again and again behind it until the connection is closed. */
const ATTACKS = {
  'no token': [get(JOBS)],
  'a wrong token': [get(JOBS, bearer(tokens.wrong))],
  'no token at all in what is shown': [get(JOBS, 'Authorization: Basic eDp4\r\n')],
  'an expired token': [get(JOBS, bearer(tokens.expired))],
  'a revoked token': [get(JOBS, bearer(tokens.revoked))],
  'a reader who changes': [put(JOBS, bearer(tokens.reader), '{"Job":{}}')],
  'a token to join that reads': [get(NODES, bearer(tokens.node))],
  'a credential of a node that reads': [get(JOBS, bearer(tokens.stolen))],
  'a token as a node': [link('heartbeat', tokens.operator)],
  'the id of another node': [link('handshake', tokens.other)],
  'the id of another node, with a wrong token to join': [
    link('handshake', tokens.other, `x-saltcod-join: ${tokens.wrong}\r\n`),
  ],
  'a stolen credential of a deleted node, anew': [link('handshake', tokens.stolen)],
  'a stolen credential of a deleted node': [link('heartbeat', tokens.stolen)],
  'a page of another origin': [get(JOBS, `${bearer(tokens.operator)}Origin: https://page.example\r\n`)],
  'a name that leads here': [get(JOBS, bearer(tokens.operator), 'page.example')],
  'a page of another origin, as a node': [link('poll', tokens.stolen, 'Origin: https://page.example\r\n')],
  'a slow body': [`PUT ${JOBS} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000\r\n\r\n`, 'a', 20],
  'an endless body': [endless(''), `4000\r\n${'a'.repeat(0x4000)}\r\n`, 0],
  'an endless body of an operator': [
    endless(bearer(tokens.operator)),
    `4000\r\n${'a'.repeat(0x4000)}\r\n`,
    0,
  ],
  'a log without a token': [
    get(
      `${JOBS}/j-1/logs`,
      'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n',
    ),
  ],
}
const trusting = { port, host, localAddress, rejectUnauthorized: false }
const open = {
  'http to what speaks TLS': () => connectPlainly(trusting),
  'an old TLS': () =>
    connect({ ...trusting, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' }),
}

/** Speaks once, and resolves with the status that comes, or `closed`. */
function once([words, more, pauseMs], socket, isKept) {
  return new Promise((resolve) => {
    let timer
    const pour = () => {
      if (socket.destroyed) return
      if (pauseMs > 0) timer = setTimeout(pour, pauseMs)
      if (socket.write(more) && pauseMs === 0) timer = setTimeout(pour, 1)
    }
    const finish = (answer) => {
      clearTimeout(timer)
      if (answer === 'closed' || !isKept) socket.destroy()
      for (const event of ['data', 'drain', 'close']) socket.removeAllListeners(event)
      resolve(answer)
    }
    socket.once('close', () => finish('closed'))
    socket.once('data', (data) => finish(/^HTTP\/1\.1 (\d+)/.exec(data.toString('latin1'))?.[1] ?? 'closed'))
    socket.write(words)
    if (more !== undefined) {
      if (pauseMs === 0) socket.on('drain', pour)
      pour()
    }
  })
}

/** Attacks in one way, once or by several at a time for so long, on connections that are kept where they may be. */
async function attack({ name, forMs, callers, isKept }) {
  const words = ATTACKS[name] ?? [get(JOBS)]
  const make = open[name] ?? (() => connect(trusting))
  const answers = {}
  const endMs = performance.now() + forMs
  const call = async () => {
    let socket
    do {
      if (socket === undefined || socket.destroyed) socket = make().on('error', () => undefined)
      const answer = await once(words, socket, isKept)
      answers[answer] = (answers[answer] ?? 0) + 1
    } while (performance.now() < endMs)
    socket.destroy()
  }
  await Promise.all(Array.from({ length: callers }, call))
  return answers
}

process.on('message', (request) => {
  void attack(request).then((answers) => process.send({ answers }))
})
process.once('disconnect', () => process.exit())
process.send({ names: [...Object.keys(ATTACKS), ...Object.keys(open)] })
