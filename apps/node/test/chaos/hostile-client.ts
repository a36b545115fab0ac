import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { generatedRequest } from './generated-request.ts'

/** Whom a hostile client has before it. */
export interface Victim {
  readonly port: number
  /** A job that has a log. */
  readonly jobId: string
  readonly random: () => number
}

const JOBS = '/api/v1/orchestrator/jobs'
const LONGEST_MS = 150

/** What clients do to a node; each ends by itself and never throws because of what the node does. */
export const ATTACKS: ReadonlyMap<string, (victim: Victim) => Promise<void>> = new Map([
  ['a reset after an upgrade', resetAfterUpgrade],
  ['a CONNECT', (victim) => speak(victim, pick(victim, CONNECTS))],
  ['an expectation', (victim) => speak(victim, pick(victim, EXPECTATIONS))],
  ['garbage', (victim) => speak(victim, randomBytes(1 + Math.floor(victim.random() * 5_000)))],
  ['broken heads', (victim) => speak(victim, pick(victim, HEADS))],
  ['garbage behind a request', (victim) => speak(victim, `${get(JOBS)}${pick(victim, HEADS)}`)],
  ['many requests at once', manyAtOnce],
  ['requests that were made up', madeUp],
  ['a body that does not come', (victim) => speak(victim, put(1_000_000, '{"Job":'))],
  ['broken frames', brokenFrames],
  ['a reset in the middle of an answer', resetInAnswer],
  ['a reset in the middle of a log', resetInLog],
  ['half a connection', halfClosed],
])

const get = (path: string, headers = ''): string =>
  `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`
const put = (length: number, body: string): string =>
  `PUT ${JOBS} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n${body}`
const WEBSOCKET =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n'

const CONNECTS = [
  'CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: localhost\r\n\r\n',
  'CONNECT / HTTP/1.1\r\nHost: localhost\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n',
]
const EXPECTATIONS = [
  `PUT ${JOBS} HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n`,
  `PUT ${JOBS} HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 99999999\r\n\r\n`,
  `PUT ${JOBS} HTTP/1.1\r\nHost: localhost\r\nExpect: the unexpected\r\nContent-Length: 2\r\n\r\n{}`,
]
const HEADS = [
  '\r\n\r\n\r\n',
  'GET\r\n\r\n',
  'GET / HTTP/9.9\r\n\r\n',
  `GET /${'a'.repeat(70_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`,
  `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'a'.repeat(70_000)}\r\n\r\n`,
  `GET / HTTP/1.1\r\nHost: localhost\r\n${'X: a\r\n'.repeat(5_000)}\r\n`,
  'GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n',
  `PUT ${JOBS} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`,
  `PUT ${JOBS} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nx`,
  'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
  'GET http://[/ HTTP/1.1\r\nHost: localhost\r\n\r\n',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  '\u0016\u0003\u0001\u0002\u0000\u0001',
  `\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003${'\u0007'.repeat(500)}`,
]
const UPGRADES = [
  get('/', 'Connection: Upgrade\r\nUpgrade: nothing\r\n'),
  get('/elsewhere', WEBSOCKET),
  get(`${JOBS}/%ff/logs`, WEBSOCKET),
  get(`${JOBS}/j-none/logs`, WEBSOCKET),
  get(`${JOBS}/j-none/logs`, `${WEBSOCKET}Origin: http://page.example\r\n`),
  get(`${JOBS}/j-none/logs`, 'Connection: Upgrade\r\nUpgrade: h2c\r\n'),
  `PUT ${JOBS} HTTP/1.1\r\nHost: localhost\r\n${WEBSOCKET}Content-Length: 5\r\n\r\n{`,
]

/**
 * Frames that a client may not send: not masked, a kind that is none, too large, a length that is a lie, a text that
 * is none, a long ping.
 */
const FRAMES = [
  Buffer.from([0x81, 0x02, 0x68, 0x69]),
  Buffer.from([0x8b, 0x80, 0, 0, 0, 0]),
  Buffer.from([0x82, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4]),
  Buffer.from([0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4]),
  Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0xc3, 0x28]),
  Buffer.from([0x89, 0xfe, 0x01, 0x00, 0, 0, 0, 0]),
  Buffer.from([0x88, 0x81, 0, 0, 0, 0, 1]),
  Buffer.from([0xf1, 0x80, 0, 0, 0, 0]),
  Buffer.concat(Array.from({ length: 500 }, () => Buffer.from([0x89, 0x80, 0, 0, 0, 0]))),
]

function pick<T>({ random }: Victim, list: readonly T[]): T {
  const found = list[Math.floor(random() * list.length)]
  if (found === undefined) throw new Error('the list is empty')
  return found
}

/** Opens a connection whose errors are nobody's concern. */
async function open({ port }: Victim): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' })
  socket.on('error', () => undefined)
  socket.setTimeout(LONGEST_MS, () => socket.destroy())
  await until(socket, 'connect')
  return socket
}

/** Resolves at an event of a socket, or when it is closed. */
async function until(socket: Socket, event: string): Promise<void> {
  if (socket.destroyed) return
  await new Promise<void>((resolve) => {
    socket.once(event, () => resolve())
    socket.once('close', () => resolve())
  })
}

/** Says something, and then hears the answer, goes away politely, or resets the connection. */
async function speak(victim: Victim, words: string | Buffer): Promise<void> {
  const socket = await open(victim)
  socket.write(words)
  await leave(victim, socket)
}

async function leave({ random }: Victim, socket: Socket): Promise<void> {
  const way = random()
  if (way < 0.4) socket.resetAndDestroy()
  else if (way < 0.6) {
    socket.resume()
    socket.end()
    await until(socket, 'close')
  } else if (way < 0.8) await until(socket, 'data')
  else await delay(random() * 50)
  socket.destroy()
}

async function resetAfterUpgrade(victim: Victim): Promise<void> {
  const socket = await open(victim)
  await new Promise<void>((resolve) => socket.write(pick(victim, UPGRADES), () => resolve()))
  if (victim.random() < 0.5) await new Promise<void>((resolve) => setImmediate(resolve))
  socket.resetAndDestroy()
}

async function manyAtOnce(victim: Victim): Promise<void> {
  const paths = [JOBS, '/metrics', `${JOBS}/${victim.jobId}/history`, '/api/v1/agent/node', `${JOBS}/none`]
  const count = 1 + Math.floor(victim.random() * 200)
  await speak(victim, Array.from({ length: count }, () => get(pick(victim, paths))).join(''))
}

async function madeUp(victim: Victim): Promise<void> {
  const count = 1 + Math.floor(victim.random() * 3)
  await speak(victim, Buffer.concat(Array.from({ length: count }, () => generatedRequest(victim.random))))
}

async function brokenFrames(victim: Victim): Promise<void> {
  const socket = await open(victim)
  socket.write(get(`${JOBS}/${victim.jobId}/logs?follow=true`, WEBSOCKET))
  if (victim.random() < 0.7) await until(socket, 'data')
  socket.write(pick(victim, FRAMES))
  await leave(victim, socket)
}

async function resetInAnswer(victim: Victim): Promise<void> {
  const socket = await open(victim)
  socket.write(get(`${JOBS}?limit=1000`))
  socket.once('data', () => socket.resetAndDestroy())
  await until(socket, 'close')
}

async function resetInLog(victim: Victim): Promise<void> {
  const socket = await open(victim)
  socket.write(get(`${JOBS}/${victim.jobId}/logs?follow=true`, WEBSOCKET))
  await until(socket, 'data')
  if (victim.random() < 0.5) await until(socket, 'data')
  socket.resetAndDestroy()
}

async function halfClosed(victim: Victim): Promise<void> {
  const socket = await open(victim)
  socket.end(pick(victim, [...UPGRADES, ...HEADS, get(JOBS), put(100, '{')]))
  socket.resume()
  await until(socket, 'close')
}
