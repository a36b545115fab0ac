import { open } from 'node:fs/promises'
import { type IncomingMessage, type RequestOptions, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { LookupFunction } from 'node:net'
import { formatDuration } from '@saltcod/units'
import { isTaskError } from '../../compute/task-error.ts'
import type { InputFetch } from '../input-fetcher.ts'
import { type HostAddress, resolveHost } from './address.ts'
import type { DownloadParameters } from './parameters.ts'

const OK = 200
/** What a server says of a request that may go through later; every other of its kind is its last word. */
const PASSING: ReadonlySet<number> = new Set([408, 421, 423, 425, 429])
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

function parse(fetch: InputFetch, text: string, base?: URL): URL {
  let url: URL
  try {
    url = new URL(text, base)
  } catch {
    throw fetch.fail('INPUT_INVALID', `has no valid URL: ${JSON.stringify(text.slice(0, 200))}`)
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw fetch.fail('INPUT_INVALID', `has a URL of kind ${url.protocol} where only http and https are taken`)
  }
  if (url.username !== '' || url.password !== '') {
    throw fetch.fail('INPUT_INVALID', 'has a URL with a user name or password in it, which is not taken')
  }
  return url
}

async function addressesOf(fetch: InputFetch, url: URL): Promise<readonly HostAddress[]> {
  const { allowHosts } = fetch.policy
  const allowPrivate = allowHosts.includes(url.hostname) || allowHosts.includes(url.host)
  let addresses: readonly HostAddress[]
  try {
    addresses = await resolveHost(url.hostname, allowPrivate)
  } catch (error) {
    throw fetch.fail('INPUT_FAILED', `names the host ${url.hostname}, which cannot be resolved`, error)
  }
  if (addresses.length > 0) return addresses
  throw fetch.fail(
    'INPUT_DENIED',
    `names the host ${url.host}, whose address is private and not under Inputs.AllowedHosts of the node`,
  )
}

function pinned(addresses: readonly HostAddress[]): LookupFunction {
  return (_hostname, options, callback) => {
    const [first] = addresses
    if (options.all === true) callback(null, [...addresses])
    else callback(null, first?.address ?? '', first?.family ?? 4)
  }
}

async function get(
  url: URL,
  addresses: readonly HostAddress[],
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const options: RequestOptions = {
    // No shared agent: a connection that it kept could lead to an address that was not checked.
    agent: false,
    lookup: pinned(addresses),
    signal,
    headers: { 'accept-encoding': 'identity', 'user-agent': 'saltcod' },
  }
  return await new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? requestHttps : requestHttp
    send(url, options, resolve)
      .on('error', reject)
      // A server may switch to a protocol that nobody asked for; the request then ends without an answer and without
      // an error.
      .on('close', () => reject(new Error('the connection was closed without an answer')))
      .end()
  })
}

async function save(fetch: InputFetch, response: IncomingMessage): Promise<void> {
  const { budget } = fetch.copy
  budget.takeEntry()
  const length = Number(response.headers['content-length'] ?? 0)
  // Asked first, so that a file known to be too large is not begun.
  if (length > budget.leftBytes) budget.takeBytes(length)
  const file = await open(fetch.hostPath, 'wx', 0o444)
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      budget.takeBytes(chunk.length)
      await file.writeFile(chunk)
    }
  } finally {
    response.destroy()
    await file.close()
  }
  if (!response.complete) throw new Error('the connection ended early')
}

async function follow(fetch: InputFetch, start: URL, signal: AbortSignal): Promise<void> {
  let url = start
  for (let hops = 0; hops <= fetch.policy.maxRedirects; hops += 1) {
    const response = await get(url, await addressesOf(fetch, url), signal)
    const status = response.statusCode ?? 0
    if (status === OK) return await save(fetch, response)
    response.destroy()
    if (!REDIRECTS.has(status)) {
      const isFinal = status >= 400 && status < 500 && !PASSING.has(status)
      const code = isFinal ? 'INPUT_MISSING' : 'INPUT_FAILED'
      throw fetch.fail(code, `was answered with status ${status} by ${url.host}`)
    }
    const { location } = response.headers
    if (location === undefined) throw fetch.fail('INPUT_FAILED', `was redirected to nowhere by ${url.host}`)
    url = parse(fetch, location, url)
  }
  throw fetch.fail('INPUT_FAILED', `was redirected more than ${fetch.policy.maxRedirects} times`)
}

/**
 * Downloads a file over http or https. Each host, also of a redirect, is resolved once, checked, and connected
 * to by that address; bytes, time and redirects are bounded.
 */
export async function fetchUrl(fetch: InputFetch<DownloadParameters>): Promise<'file'> {
  const url = parse(fetch, fetch.params.URL)
  const timeout = AbortSignal.timeout(fetch.policy.downloadTimeMs)
  try {
    await follow(fetch, url, AbortSignal.any([fetch.signal, timeout]))
  } catch (error) {
    if (isTaskError(error) || fetch.signal.aborted) throw error
    if (timeout.aborted) {
      throw fetch.fail(
        'INPUT_FAILED',
        `was not downloaded within ${formatDuration(fetch.policy.downloadTimeMs)}`,
        error,
      )
    }
    const what = error instanceof Error ? error.message : String(error)
    throw fetch.fail('INPUT_FAILED', `could not be downloaded from ${url.host}: ${what}`, error)
  }
  return 'file'
}
