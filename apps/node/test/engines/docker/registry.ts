import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'

const MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json'
const INDEX = 'application/vnd.docker.distribution.manifest.list.v2+json'
const PIECE_BYTES = 64 * 1024

/** How a registry serves an image. */
export interface Serving {
  /** `user:password` that is asked for. */
  readonly login?: string
  /** The only architecture that it is there for. */
  readonly only?: string
  /** How many bytes of its layer come, before the connection is cut or nothing more comes. */
  readonly layerBytes?: number
  readonly ends?: 'cut' | 'stall'
  /** Between two pieces of its layer. */
  readonly pauseMs?: number
}

interface Blob {
  readonly digest: string
  readonly bytes: Buffer
}

interface Content {
  readonly layer: Blob
  readonly config: Blob
}

/** A registry of images, each of which is one layer, served as a test likes. */
export class Registry {
  /** How each image is served, by its name; one that is not named is not there. */
  readonly images = new Map<string, Serving>()
  readonly #server: Server
  readonly #tar: Buffer
  readonly #contents = new Map<string, Content>()

  private constructor(archive: string) {
    this.#tar = readFileSync(archive)
    this.#server = createServer((request, response) => {
      void this.#answer(request.url ?? '', request.headers.authorization ?? '', response).catch(() =>
        response.destroy(),
      )
    })
  }

  /** Starts one whose images have the content of an archive. */
  static async start(archive: string): Promise<Registry> {
    const registry = new Registry(archive)
    registry.#server.listen(0, '127.0.0.1')
    await once(registry.#server, 'listening')
    return registry
  }

  /** Its host and port, with which the names of its images begin. */
  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Ends it. */
  stop(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }

  async #answer(url: string, authorization: string, response: ServerResponse): Promise<void> {
    const [, name = '', kind = '', what = ''] = /^\/v2\/([^/]+)\/(manifests|blobs)\/(.+)$/.exec(url) ?? []
    const serving = this.images.get(name)
    if (name === '') {
      answerWith(response, '{}', 'application/json', this.#isLoginWanted() ? 401 : 200)
      return
    }
    if (serving === undefined) {
      refuse(response, 404, 'NAME_UNKNOWN', 'repository name not known')
      return
    }
    const wanted = `Basic ${Buffer.from(serving.login ?? '').toString('base64')}`
    if (serving.login !== undefined && authorization !== wanted) {
      refuse(response, 401, 'UNAUTHORIZED', 'authentication required')
      return
    }
    const content = this.#contentOf(name)
    if (kind === 'manifests') answerManifest(content, serving, what, response)
    else if (what === content.config.digest) answerWith(response, content.config.bytes, 'application/json')
    else await sendLayer(content, serving, response)
  }

  #isLoginWanted(): boolean {
    return [...this.images.values()].some(({ login }) => login !== undefined)
  }

  /** What is in it is of it alone, so that a server has nothing of it from another one. */
  #contentOf(name: string): Content {
    const known = this.#contents.get(name)
    if (known !== undefined) return known
    const tar = Buffer.concat([this.#tar, Buffer.from(name.padEnd(512))])
    const rootfs = { type: 'layers', diff_ids: [blobOf(tar).digest] }
    const config = { architecture: 'amd64', os: 'linux', config: { Cmd: ['sh'] }, rootfs }
    const layer = blobOf(gzipSync(tar, { level: 1 }))
    const content = { layer, config: blobOf(Buffer.from(JSON.stringify(config))) }
    this.#contents.set(name, content)
    return content
  }
}

function answerManifest(
  { layer, config }: Content,
  { only }: Serving,
  reference: string,
  response: ServerResponse,
): void {
  if (reference === 'missing') {
    refuse(response, 404, 'MANIFEST_UNKNOWN', 'manifest unknown')
    return
  }
  const manifest = {
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: { mediaType: 'application/vnd.docker.container.image.v1+json', ...sizeOf(config) },
    layers: [{ mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip', ...sizeOf(layer) }],
  }
  const bytes = Buffer.from(JSON.stringify(manifest))
  if (only === undefined) {
    answerWith(response, bytes, MANIFEST)
    return
  }
  const platform = { architecture: only, os: 'linux' }
  const manifests = [{ mediaType: MANIFEST, ...sizeOf(blobOf(bytes)), platform }]
  answerWith(response, JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests }), INDEX)
}

async function sendLayer(
  { layer: { bytes } }: Content,
  { layerBytes, ends, pauseMs = 0 }: Serving,
  response: ServerResponse,
): Promise<void> {
  response.writeHead(200, { 'content-length': bytes.length, 'content-type': 'application/octet-stream' })
  const end = layerBytes ?? bytes.length
  for (let at = 0; at < end; at += PIECE_BYTES) {
    response.write(bytes.subarray(at, Math.min(at + PIECE_BYTES, end)))
    if (pauseMs > 0) await delay(pauseMs)
  }
  if (ends === 'cut') response.destroy()
  else if (ends === undefined) response.end()
}

function blobOf(bytes: Buffer): Blob {
  return { digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`, bytes }
}

function sizeOf({ digest, bytes }: Blob): object {
  return { digest, size: bytes.length }
}

function answerWith(response: ServerResponse, body: Buffer | string, type: string, status = 200): void {
  const bytes = Buffer.from(body)
  response.writeHead(status, {
    'content-type': type,
    'content-length': bytes.length,
    'docker-content-digest': blobOf(bytes).digest,
    ...(status === 401 && { 'www-authenticate': 'Basic realm="test"' }),
  })
  response.end(bytes)
}

function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  const body = JSON.stringify({ errors: [{ code, message }] })
  answerWith(response, body, 'application/json', status)
}
