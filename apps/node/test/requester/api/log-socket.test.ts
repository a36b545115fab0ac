import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { readdirSync, readlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import type { WireLogMessage } from '@saltcod/bacalhau-records'
import { onTestFinished, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { IS_LONG } from '../../../../../test/seed.ts'
import { startTestNode, type TestNode } from '../../node-fixture.ts'

const READERS = IS_LONG ? 200 : 60
const LOG_BYTES = 5_000_000
/** A message is one part of a log; JSON makes it longer. */
const MOST_WAITING_BYTES = 256 * 1024

/** Collects the connections that servers of this process take. */
function acceptedSockets(): Set<Socket> {
  const sockets = new Set<Socket>()
  const accept = (message: unknown): void => {
    sockets.add((message as { readonly socket: Socket }).socket)
  }
  subscribe('net.server.socket', accept)
  onTestFinished(() => {
    unsubscribe('net.server.socket', accept)
  })
  return sockets
}

/** Asks for a log and never reads what comes. Resolves when that has begun to come. */
async function neverRead(node: TestNode, path: string): Promise<void> {
  const { hostname, port, host } = new URL(node.url)
  const socket = connect(Number(port), hostname)
  onTestFinished(() => {
    socket.destroy()
  })
  socket.on('error', () => undefined)
  const key = randomBytes(16).toString('base64')
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
  )
  await new Promise((resolve) => socket.once('readable', resolve))
}

/** Reads a log to its end and returns how long it was. */
async function readAll(node: TestNode, path: string): Promise<number> {
  const socket = new WebSocket(`${node.url.replace('http', 'ws')}${path}`)
  let length = 0
  socket.on('message', (data: Buffer) => {
    length += (JSON.parse(data.toString()) as WireLogMessage).value?.Line.length ?? 0
  })
  await new Promise((resolve, reject) => {
    socket.on('close', resolve)
    socket.on('error', reject)
  })
  return length
}

test('readers of a log that never read leave little waiting in the node, however much is written', async () => {
  const accepted = acceptedSockets()
  const node = await startTestNode(['--allow-exec'])
  const gate = join(node.directory, 'gate')
  const script = `while [ ! -e ${gate} ]; do sleep 0.05; done; yes 0123456789 | head -c ${LOG_BYTES}`
  const Params = { Command: 'sh', Arguments: ['-c', `echo begin; ${script}`] }
  const id = await node.submit({ Type: 'batch', Tasks: [{ Name: 'a', Engine: { Type: 'exec', Params } }] })
  await node.until(id, 'Running')
  const path = `/api/v1/orchestrator/jobs/${id}/logs?follow=true`
  await Promise.all(Array.from({ length: READERS }, () => neverRead(node, path)))
  const mostWaiting = (): number => Math.max(...[...accepted].map((socket) => socket.writableLength))
  let most = 0
  const look = setInterval(() => {
    most = Math.max(most, mostWaiting())
  }, 10)
  onTestFinished(() => clearInterval(look))
  const whole = readAll(node, path)
  writeFileSync(gate, '')
  assert.ok((await whole) >= LOG_BYTES)
  await node.until(id, 'Completed')
  most = Math.max(most, mostWaiting())
  assert.ok(accepted.size > READERS)
  assert.ok(most > 0 && most < MOST_WAITING_BYTES, `${most} bytes wait for one reader`)
})

/** Tells whether this process, which the node runs in, has a file open. */
function isOpen(path: string): boolean {
  return readdirSync('/proc/self/fd').some((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === path
    } catch {
      return false
    }
  })
}

test('the log of a reader that has left is read no further', async () => {
  const node = await startTestNode(['--allow-exec'])
  const Params = { Command: 'echo', Arguments: ['begin'] }
  const id = await node.submit({ Type: 'batch', Tasks: [{ Name: 'a', Engine: { Type: 'exec', Params } }] })
  const { Executions } = await node.until(id, 'Completed')
  const path = join(node.directory, 'n-test-compute', 'work', Executions?.Items[0]?.ID ?? '', 'stdout')
  // A log without an end: it has that length, and takes no room.
  truncateSync(path, 2 ** 40)
  const socket = new WebSocket(`${node.url.replace('http', 'ws')}/api/v1/orchestrator/jobs/${id}/logs`)
  await new Promise((resolve, reject) => {
    socket.on('message', resolve)
    socket.on('error', reject)
  })
  assert.ok(isOpen(path))
  socket.terminate()
  await vi.waitUntil(() => !isOpen(path), { timeout: 30_000 })
})

test('a log that goes on when the node stops is closed as one that goes on', async () => {
  const node = await startTestNode(['--allow-exec'])
  const Params = { Command: 'sh', Arguments: ['-c', 'echo begin; sleep 600'] }
  const id = await node.submit({ Type: 'batch', Tasks: [{ Name: 'a', Engine: { Type: 'exec', Params } }] })
  await node.until(id, 'Running')
  const socket = new WebSocket(
    `${node.url.replace('http', 'ws')}/api/v1/orchestrator/jobs/${id}/logs?follow=true`,
  )
  const messages: string[] = []
  await new Promise((resolve, reject) => {
    socket.on('message', (data: Buffer) => {
      messages.push((JSON.parse(data.toString()) as WireLogMessage).value?.Line ?? '')
      resolve(undefined)
    })
    socket.on('error', reject)
  })
  const closed = new Promise((resolve) => socket.on('close', resolve))
  await node.stop()
  assert.equal(await closed, 1001)
  assert.deepEqual(messages, ['begin\n'])
})
