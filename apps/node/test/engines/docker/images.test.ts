import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { temporaryDirectory } from '../../../../../test/temporary-directory.ts'
import { loginFiles, loginFor } from '../../../src/engines/docker/credentials.ts'
import { type PullPolicy, provideImage } from '../../../src/engines/docker/images.ts'
import { PulledImages } from '../../../src/engines/docker/pulled-images.ts'
import { saltcod, serveNode } from '../../cli/binary.ts'
import { fileFlags } from '../../node-fixture.ts'
import { containerServer, containersMissingOrShort, named } from './container-server.ts'
import type { Serving } from './registry.ts'

const missing = containersMissingOrShort()
const LOGIN = 'ada:secret:with colon'

describe.runIf(missing === null)(named('an image of a registry', missing), () => {
  const server = containerServer()

  /** Fetches an image that is served in some way; answers with whether it was fetched, or why not. */
  const fetchImage = async (
    name: string,
    serving: Serving | undefined,
    {
      tag = '1',
      policy = 'missing',
      environment = {},
      stallMs = 60_000,
    }: {
      readonly tag?: string
      readonly policy?: PullPolicy
      readonly environment?: Readonly<Record<string, string>>
      readonly stallMs?: number
    } = {},
  ): Promise<unknown> => {
    const { api, registry } = server()
    if (serving !== undefined) registry.images.set(name, serving)
    const told: string[] = []
    try {
      const provided = await provideImage(api, `${registry.address}/${name}:${tag}`, {
        policy,
        stallMs,
        login: (image) => loginFor(image, environment),
        tell: (text) => void told.push(text),
        signal: new AbortController().signal,
      })
      return { provided, told }
    } catch (error) {
      const { code, message } = error as { readonly code: unknown; readonly message: string }
      return { code, message: message.replaceAll(registry.address, 'R') }
    }
  }

  test('is fetched where it is missing, and again only where that is wanted', async () => {
    expect(await fetchImage('plain', {})).toMatchObject({ provided: 'fetched' })
    expect(await fetchImage('plain', {})).toMatchObject({ provided: 'there', told: [] })
    expect(await fetchImage('plain', {}, { policy: 'always' })).toMatchObject({ provided: 'refreshed' })
    expect(await fetchImage('plain', {}, { policy: 'never' })).toMatchObject({ provided: 'there' })
    expect(await fetchImage('other', {}, { policy: 'never' })).toEqual({
      code: 'IMAGE_DENIED',
      message:
        'the image R/other:1 is not on this node, which fetches none (Engines.Docker.Pull is never); its operator can fetch it there',
    })
  })

  test('that is not there, whole or by its tag, is not there anywhere', async () => {
    const reason = /^the image R\/\w+:\w+ could not be fetched: there is no such image \(/
    expect(await fetchImage('nothing', undefined)).toMatchObject({
      code: 'IMAGE_MISSING',
      message: expect.stringMatching(reason),
    })
    expect(await fetchImage('tags', {}, { tag: 'missing' })).toMatchObject({
      code: 'IMAGE_MISSING',
      message: expect.stringMatching(reason),
    })
  })

  test('whose registry cannot be reached may be had later', async () => {
    const { api, registry } = server()
    const image = `${registry.address.replace(/:\d+$/, ':1')}/nobody:1`
    const provided = provideImage(api, image, {
      policy: 'missing',
      stallMs: 60_000,
      login: () => Promise.resolve({ header: undefined, from: '', unread: [] }),
      tell: () => undefined,
      signal: new AbortController().signal,
    })
    await expect(provided).rejects.toMatchObject({
      code: 'IMAGE_FAILED',
      message: expect.stringContaining(
        `the image ${image} could not be fetched: the server of containers cannot reach its registry (`,
      ),
    })
  })

  test('of another architecture may be had on another node', async () => {
    expect(await fetchImage('arm', { only: 's390x' })).toMatchObject({
      code: 'IMAGE_DENIED',
      message: expect.stringContaining('it is not there for the architecture of this node'),
    })
  })

  test('that needs a login says so, and is fetched with the one that the operator has', async () => {
    const wanted = { code: 'IMAGE_DENIED', message: expect.stringContaining('its registry wants a login') }
    expect(await fetchImage('private', { login: LOGIN })).toMatchObject(wanted)
    const HOME = temporaryDirectory({
      '.docker/config.json': JSON.stringify({
        auths: { [server().registry.address]: { auth: Buffer.from(LOGIN).toString('base64') } },
      }),
    })
    expect(await fetchImage('private', { login: LOGIN }, { environment: { HOME } })).toMatchObject({
      provided: 'fetched',
    })
    const wrong = temporaryDirectory({
      'config.json': JSON.stringify({
        auths: { [server().registry.address]: { auth: Buffer.from('ada:no').toString('base64') } },
      }),
    })
    expect(
      await fetchImage('private2', { login: LOGIN }, { environment: { DOCKER_CONFIG: wrong } }),
    ).toMatchObject({
      ...wanted,
      message: expect.stringContaining(`that of ${wrong}/config.json is not enough`),
    })
    const broken = temporaryDirectory({ 'config.json': '{ "auths": "ada:secret"' })
    const unread = await fetchImage('private2', { login: LOGIN }, { environment: { DOCKER_CONFIG: broken } })
    expect(unread).toMatchObject({ message: expect.stringContaining(`${broken}/config.json: it is no JSON`) })
    expect(JSON.stringify(unread)).not.toContain('ada:secret')
  })

  test('is given up where nothing comes of it any more, or it is cut', async () => {
    expect(
      await fetchImage('stalled', { layerBytes: 100_000, ends: 'stall' }, { stallMs: 2_000 }),
    ).toMatchObject({
      code: 'IMAGE_FAILED',
      message: 'the image R/stalled:1 could not be fetched: nothing of it came for 2s',
    })
    expect(await fetchImage('cut', { layerBytes: 100_000, ends: 'cut' })).toMatchObject({
      code: 'IMAGE_FAILED',
      message: expect.stringMatching(/^the image R\/cut:1 could not be fetched: /),
    })
  })

  test('goes where no job has used it for long, or there are too many, and only where the engine has fetched it', async () => {
    const { api, registry } = server()
    const directory = temporaryDirectory()
    const named = (name: string): string => `${registry.address}/${name}:1`
    const pulled = new PulledImages(directory)
    for (const [at, name] of ['used', 'old', 'kept'].entries()) {
      expect(await fetchImage(name, {})).toMatchObject({ provided: 'fetched' })
      await pulled.note(api, named(name), { isOwn: true, nowMs: at * 1_000 })
    }
    expect(await fetchImage('of-operator', {})).toMatchObject({ provided: 'fetched' })
    await pulled.note(api, named('of-operator'), { isOwn: false, nowMs: 0 })
    server().podman('create', '--name', 'of-used', named('used'))
    expect(await pulled.collect(api, { keepForMs: 0, maxBytes: 0 }, 1e9)).toEqual([])
    expect(await pulled.collect(api, { keepForMs: 10_000, maxBytes: 0 }, 11_500)).toEqual([named('old')])
    const again = new PulledImages(directory)
    await again.holding(named('kept'), async () => {
      expect(await again.collect(api, { keepForMs: 10_000, maxBytes: 1 }, 1e9)).toEqual([])
    })
    expect(await again.collect(api, { keepForMs: 0, maxBytes: 1 }, 1e9)).toEqual([named('kept')])
    server().podman('rm', 'of-used')
    expect(await again.collect(api, { keepForMs: 0, maxBytes: 1 }, 1e9)).toEqual([named('used')])
    expect(pulled.counts).toEqual({ kept: 2, fetched: 3, removed: 1 })
    expect(again.counts).toEqual({ kept: 0, fetched: 0, removed: 2 })
    const left = server().podman('images', '--format', '{{.Repository}}')
    for (const name of ['used', 'old', 'kept']) expect(left).not.toContain(`${registry.address}/${name}\n`)
    expect(left).toContain(`${registry.address}/of-operator\n`)
  })

  test('tells in the history of its job how far it is, and why it is not there', async () => {
    const { registry, socket } = server()
    registry.images.set('slow', { pauseMs: 60 })
    const node = await serveNode(temporaryDirectory(), fileFlags({ Engines: { Docker: { Socket: socket } } }))
    const job = (image: string): string =>
      JSON.stringify({
        Type: 'batch',
        Tasks: [
          {
            Name: 'a',
            Engine: {
              Type: 'docker',
              Params: { Image: `${registry.address}/${image}`, Parameters: ['echo', 'hi'] },
            },
            Network: { Type: 'None' },
          },
        ],
      })
    const ran = await saltcod(['job', 'run', '-'], { env: node.env, input: job('slow:1') })
    expect(ran).toMatchObject({ code: 0 })
    expect(ran.stdout + ran.stderr).toContain(`Fetching the image ${registry.address}/slow:1`)
    const metrics = await (await fetch(`${node.url}/metrics`)).text()
    expect(metrics).toMatch(/^saltcod_images 1$/m)
    expect(metrics).toMatch(/^saltcod_images_fetched_total 1$/m)
    const gone = await saltcod(['job', 'run', '-'], { env: node.env, input: job('nowhere:1') })
    expect(gone.code).not.toBe(0)
    expect(gone.stderr).toContain('could not be fetched: there is no such image')
  })
})

describe('logins', () => {
  const of = async (image: string, environment: Readonly<Record<string, string>>): Promise<unknown> => {
    const { header } = await loginFor(image, environment)
    return header === undefined ? undefined : JSON.parse(Buffer.from(header, 'base64url').toString('utf8'))
  }
  const VARIABLES = { DOCKER_USERNAME: 'ada', DOCKER_PASSWORD: 'secret' }

  test('of the environment are for the registry of Docker alone', async () => {
    expect(await of('busybox', VARIABLES)).toMatchObject({ username: 'ada', password: 'secret' })
    expect(await of('ada/tool:1', VARIABLES)).toMatchObject({ username: 'ada' })
    expect(await of('ghcr.io/ada/tool', VARIABLES)).toBeUndefined()
    expect(await of('localhost:5000/tool', VARIABLES)).toBeUndefined()
    expect(await of('busybox', { DOCKER_USERNAME: 'ada' })).toBeUndefined()
  })

  test('of files are found by their registry, as a name and a password or a token', async () => {
    const auth = Buffer.from('ada:secret').toString('base64')
    const HOME = temporaryDirectory({
      '.docker/config.json': JSON.stringify({
        auths: {
          'https://index.docker.io/v1/': { auth },
          'ghcr.io': { username: 'bob', password: 'plain' },
          'quay.io': { auth: Buffer.from('eve:').toString('base64'), identitytoken: 'token' },
        },
      }),
    })
    expect(await of('busybox', { HOME, ...VARIABLES, DOCKER_USERNAME: 'other' })).toMatchObject({
      username: 'ada',
    })
    expect(await of('ghcr.io/a/b', { HOME })).toMatchObject({ username: 'bob', password: 'plain' })
    expect(await of('quay.io/a/b', { HOME })).toMatchObject({ identitytoken: 'token' })
    expect(await of('gcr.io/a/b', { HOME })).toBeUndefined()
  })

  test('of Podman may be for a part of a registry alone, the nearest of which is taken', async () => {
    const REGISTRY_AUTH_FILE = join(
      temporaryDirectory({
        'auth.json': JSON.stringify({
          auths: {
            'quay.io': { username: 'all' },
            'quay.io/ada': { username: 'hers' },
            'quay.io/ada/tool': { username: 'one' },
            'docker.io/ada': { username: 'hub' },
          },
        }),
      }),
      'auth.json',
    )
    for (const [image, username] of [
      ['quay.io/ada/tool:1', 'one'],
      [`quay.io/ada/tool@sha256:${'0'.repeat(64)}`, 'one'],
      ['quay.io/ada/other', 'hers'],
      ['quay.io/eve/tool', 'all'],
      ['ada/tool', 'hub'],
    ] as const) {
      expect([image, await of(image, { REGISTRY_AUTH_FILE })]).toMatchObject([image, { username }])
    }
    expect(await of('eve/tool', { REGISTRY_AUTH_FILE })).toBeUndefined()
  })

  test('are looked for where Docker and Podman keep them, for a service without a session too', () => {
    expect(loginFiles({ HOME: '/home/ada' }, 7)).toEqual([
      '/home/ada/.docker/config.json',
      '/run/user/7/containers/auth.json',
      '/run/containers/7/auth.json',
      '/home/ada/.config/containers/auth.json',
    ])
    expect(
      loginFiles(
        { DOCKER_CONFIG: '/d', REGISTRY_AUTH_FILE: '/r', XDG_RUNTIME_DIR: '/x', XDG_CONFIG_HOME: '/c' },
        0,
      ),
    ).toEqual([
      '/d/config.json',
      '/r',
      '/x/containers/auth.json',
      '/run/containers/0/auth.json',
      '/c/containers/auth.json',
    ])
  })

  test('of a helper are asked for', async () => {
    const bin = temporaryDirectory()
    const script = '#!/bin/sh\nread name\necho "{\\"Username\\":\\"of $name\\",\\"Secret\\":\\"s\\"}"\n'
    writeFileSync(join(bin, 'docker-credential-test'), script, { mode: 0o755 })
    const DOCKER_CONFIG = temporaryDirectory({
      'config.json': JSON.stringify({ credHelpers: { 'ghcr.io': 'test', 'quay.io': 'not-there' } }),
    })
    const environment = { DOCKER_CONFIG, PATH: `${bin}:${process.env['PATH']}` }
    expect(await of('ghcr.io/a/b', environment)).toMatchObject({ username: 'of ghcr.io', password: 's' })
    expect(await loginFor('quay.io/a/b', environment)).toMatchObject({
      header: undefined,
      unread: [expect.stringContaining('there is no docker-credential-not-there in the PATH of the node')],
    })
  })
})
