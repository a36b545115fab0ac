import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { temporaryDirectory } from '../../../../test/temporary-directory.ts'
import { DEFAULT_INPUT_POLICY, type InputPolicy } from '../../src/inputs/input-policy.ts'
import { stageWork } from '../../src/inputs/stage.ts'
import { isPublicAddress } from '../../src/inputs/url-download/address.ts'
import { downloadName } from '../../src/inputs/url-download/url-download.ts'

let directory: string
let server: Server | undefined
let stopper: AbortController

beforeEach(() => {
  directory = temporaryDirectory()
  stopper = new AbortController()
})
afterEach(() => {
  server?.closeAllConnections()
  server?.close()
  server = undefined
})

async function serve(listener: RequestListener): Promise<string> {
  server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function download(url: string, policy: Partial<InputPolicy> = {}): Promise<string> {
  const { inputs } = await stageWork({
    workDir: join(directory, 'work'),
    inputs: [{ Source: { Type: 'urlDownload', Params: { URL: url } }, Alias: '', Target: '/inputs' }],
    results: [],
    policy: { ...DEFAULT_INPUT_POLICY, ...policy },
    signal: stopper.signal,
  })
  return readFileSync(inputs[0]?.hostPath ?? '', 'utf8')
}

describe('a download', () => {
  test('lies under its own name in the target', async () => {
    const host = await serve((_request, response) => response.end('text of the book'))
    expect(await download(`http://${host}/shelf/book%20one.txt?x=1`, { allowHosts: [host] })).toBe(
      'text of the book',
    )
    expect(readFileSync(join(directory, 'work/root/inputs/book one.txt'), 'utf8')).toBe('text of the book')
  })

  test.each([
    ['http://h/a/b.txt', 'b.txt'],
    ['http://h/', 'download'],
    ['http://h/a/..%2f..%2fetc', 'etc'],
    ['http://h/%2e%2e', 'download'],
    ['http://h/%00', 'download'],
    ['http://h/%E0%A4%A', 'download'],
    ['nonsense', 'download'],
  ])('of %s is named %s', (url, name) => expect(downloadName(url)).toBe(name))

  test('follows redirects, up to a number', async () => {
    const host = await serve((request, response) => {
      const hops = Number(request.url?.slice(1))
      if (hops === 0) response.end('arrived')
      else response.writeHead(302, { location: `/${hops - 1}` }).end()
    })
    expect(await download(`http://${host}/5`, { allowHosts: [host] })).toBe('arrived')
    await expect(download(`http://${host}/6`, { allowHosts: [host] })).rejects.toThrow(/more than 5 times/)
  })

  test('checks the host of each redirect', async () => {
    let asked = 0
    const host = await serve((request, response) => {
      asked += 1
      if (request.url === '/start')
        response.writeHead(302, { location: `http://localhost:${host.split(':')[1]}/` }).end()
      else response.end('internal')
    })
    await expect(download(`http://${host}/start`, { allowHosts: [host] })).rejects.toMatchObject({
      code: 'INPUT_DENIED',
    })
    expect(asked).toBe(1)
  })

  test.each([
    'http://127.0.0.1:1/',
    'http://localhost:1/',
    'http://2130706433:1/',
    'http://0x7f.1:1/',
    'http://0177.0.0.1:1/',
    'http://[::1]:1/',
    'http://[::ffff:127.0.0.1]:1/',
    'http://169.254.169.254/latest/meta-data',
    'http://10.0.0.1/',
    'http://[fd00::1]/',
    'http://0.0.0.0:1/',
  ])('from %s is denied', async (url) => {
    await expect(download(url)).rejects.toMatchObject({ code: 'INPUT_DENIED' })
  })

  test.each([
    'ftp://example.com/x',
    'file:///etc/passwd',
    'http://user:word@example.com/',
    'nonsense',
    'http://',
  ])('of %s is refused', async (url) => {
    await expect(download(url)).rejects.toMatchObject({ code: 'INPUT_INVALID' })
  })

  test('is bounded in bytes, said or not', async () => {
    const host = await serve((request, response) => {
      if (request.url === '/said') response.end(Buffer.alloc(2_000_000))
      else for (let part = 0; part < 20; part += 1) response.write(Buffer.alloc(100_000))
      response.end()
    })
    for (const path of ['said', 'unsaid']) {
      await expect(
        download(`http://${host}/${path}`, { allowHosts: [host], maxBytes: 1_000_000 }),
      ).rejects.toMatchObject({
        code: 'INPUT_TOO_LARGE',
      })
    }
  })

  test('is bounded in time, however slowly bytes come', async () => {
    const host = await serve((_request, response) => {
      const timer = setInterval(() => response.write('.'), 20)
      response.on('close', () => clearInterval(timer))
    })
    await expect(download(`http://${host}/`, { allowHosts: [host], downloadTimeMs: 200 })).rejects.toThrow(
      /was not downloaded within 200ms/,
    )
  })

  test('that fails says how', async () => {
    const host = await serve((request, response) => {
      if (request.url === '/gone') response.writeHead(404).end()
      else {
        response.writeHead(200, { 'content-length': '100' })
        response.write('short', () => response.destroy())
      }
    })
    await expect(download(`http://${host}/gone`, { allowHosts: [host] })).rejects.toThrow(/status 404/)
    await expect(download(`http://${host}/short`, { allowHosts: [host] })).rejects.toMatchObject({
      code: 'INPUT_FAILED',
    })
  })

  test('ends where the server switches to a protocol that nobody asked for', async () => {
    const host = await serve((request) => {
      const { socket } = request
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
    })
    await expect(download(`http://${host}/`, { allowHosts: [host] })).rejects.toMatchObject({
      code: 'INPUT_FAILED',
      message: expect.stringMatching(/closed without an answer/),
    })
  })

  test('ends when the run is cancelled', async () => {
    const host = await serve(() => setImmediate(() => stopper.abort(new Error('stop'))))
    await expect(download(`http://${host}/`, { allowHosts: [host] })).rejects.toThrow()
    expect(stopper.signal.aborted).toBe(true)
  })
})

describe('public addresses', () => {
  test.each(['8.8.8.8', '1.1.1.1', '2606:4700:4700::1111', '172.32.0.1'])('%s', (address) => {
    expect(isPublicAddress(address)).toBe(true)
  })
  test.each([
    ...[
      '0.0.0.0',
      '10.1.2.3',
      '100.64.0.1',
      '127.9.9.9',
      '169.254.169.254',
      '172.16.0.1',
      '192.168.1.1',
      '224.0.0.1',
    ],
    ...[
      '255.255.255.255',
      '::',
      '::1',
      '::ffff:8.8.8.8',
      '64:ff9b::7f00:1',
      'fc00::1',
      'fe80::1',
      'fe80::1%eth0',
    ],
    ...['ff02::1', '2001:db8::1', '2002:7f00:1::', '2001::1', 'nonsense'],
  ])('not %s', (address) => expect(isPublicAddress(address)).toBe(false))
})
