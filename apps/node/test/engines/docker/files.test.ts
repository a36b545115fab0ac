import { lstatSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { temporaryDirectory } from '../../../../../test/temporary-directory.ts'
import { containerNode, KEEPS_OUTPUTS, outputsOf, script } from './container-job.ts'
import { containerServer, containersMissingOrShort, named } from './container-server.ts'

const missing = containersMissingOrShort()

/** A server of one file on this machine. */
async function served(content: string): Promise<string> {
  const server = createServer((_, answer) => answer.end(content))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

describe.runIf(missing === null)(named('the files of a container', missing), () => {
  const server = containerServer()

  test('inputs of all kinds are there for whoever it runs as, and cannot be written', async () => {
    await server().addImage('ada:1', { changes: ['USER ada'] })
    const directory = temporaryDirectory()
    mkdirSync(join(directory, 'deep'))
    writeFileSync(join(directory, 'deep', 'secret'), 'deep', { mode: 0o600 })
    writeFileSync(join(directory, 'run.sh'), '#!/bin/sh\necho ran', { mode: 0o700 })
    const host = await served('fetched')
    const node = await containerNode(server(), {
      Inputs: { AllowedPaths: [directory], AllowedHosts: [host] },
    })
    const inputs = {
      InputSources: [
        { Source: { Type: 'inline', Params: { URL: 'data:,inline' } }, Target: '/in/line' },
        { Source: { Type: 'localDirectory', Params: { SourcePath: directory } }, Target: '/in/local' },
        { Source: { Type: 'urlDownload', Params: { URL: `http://${host}/u.txt` } }, Target: '/in/url' },
      ],
    }
    const text = `id -u; cat /in/line; echo; cat /in/local/deep/secret; echo; /in/local/run.sh; cat /in/url/*; echo
      for path in /in/line /in/local/new /in/local/deep/secret /in/url/u.txt; do echo x > $path; done 2>&1 | grep -c Read-only
      mount -o remount,rw /in/local 2>&1 | grep -c -e denied -e permitted -e must`
    for (const [image, user] of [
      ['busybox:1', '0'],
      ['ada:1', '1000'],
    ] as const) {
      const { stdout, stderr } = await node.run({ Image: image, ...script(text) }, inputs)
      expect([stdout, stderr]).toEqual([`${user}\ninline\ndeep\nran\nfetched\n4\n1\n`, ''])
    }
  })

  test('results belong to the node, whoever it ran as and whatever the image has there', async () => {
    const node = await containerNode(server())
    const changes = {
      'root:1': [],
      'user:1': ['USER ada'],
      'number:1': ['USER 4711:4712'],
      'volume:1': ['USER ada', 'VOLUME /outputs'],
    }
    const text = `mkdir -p /outputs/a && echo x > /outputs/a/b && echo y > /outputs/c && chmod 6711 /outputs/c && chmod 0 /outputs/a/b`
    for (const [image, change] of Object.entries(changes)) {
      await server().addImage(image, { changes: change })
      const ran = await node.run({ Image: image, ...script(text) }, KEEPS_OUTPUTS)
      expect([image, ran.stderr, outputsOf(ran)]).toEqual([image, '', ['a', 'a/b', 'c']])
      for (const [path, mode] of [
        ['a', 0o755],
        ['a/b', 0o444],
        ['c', 0o555],
      ] as const) {
        const status = lstatSync(join(ran.results, 'outputs', path))
        expect([image, path, status.mode & 0o7777, status.uid]).toEqual([
          image,
          path,
          mode,
          process.getuid?.(),
        ])
      }
    }
  })

  test('a directory that the image has at a result path can be written by its user, and is taken whole', async () => {
    const node = await containerNode(server())
    await server().addImage('there:1', { changes: ['USER ada'], files: { 'outputs/old': 'old' } })
    const ran = await node.run(
      { Image: 'there:1', ...script('ls /outputs; echo new > /outputs/new') },
      KEEPS_OUTPUTS,
    )
    expect([ran.stdout, ran.stderr]).toEqual(['old\n', ''])
    expect(outputsOf(ran)).toEqual(['new', 'old'])
  })

  test('several result paths, below each other and below new directories, hold what was written', async () => {
    const node = await containerNode(server())
    const task = {
      Publisher: { Type: 'local' },
      ResultPaths: [
        { Name: 'one', Path: '/a/b' },
        { Name: 'two', Path: '/c' },
        { Name: 'none', Path: '/gone' },
      ],
    }
    const ran = await node.run(script('echo 1 > /a/b/x; echo 2 > /c/x; rmdir /gone'), task)
    expect(readFileSync(join(ran.results, 'one', 'x'), 'utf8')).toBe('1\n')
    expect(readFileSync(join(ran.results, 'two', 'x'), 'utf8')).toBe('2\n')
    expect(statSync(join(ran.results, 'none')).isDirectory()).toBe(true)
    expect(JSON.stringify(ran.answer.History)).toContain('left out of its results: none is not there')
  })

  test('an input that is a link leads nowhere else in the container', async () => {
    const directory = temporaryDirectory()
    writeFileSync(join(directory, 'file'), 'inside')
    symlinkSync('file', join(directory, 'link'))
    const node = await containerNode(server(), { Inputs: { AllowedPaths: [directory] } })
    const Source = { Type: 'local', Params: { SourcePath: join(directory, 'link') } }
    const { stdout } = await node.run(script('cat /in/it'), { InputSources: [{ Source, Target: '/in/it' }] })
    expect(stdout).toBe('inside')
  })
})
