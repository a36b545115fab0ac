import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { IS_LONG } from '../../../../../test/seed.ts'
import { temporaryDirectory } from '../../../../../test/temporary-directory.ts'
import { LABELS } from '../../../src/engines/docker/container-name.ts'
import { removeLeftovers } from '../../../src/engines/docker/leftovers.ts'
import { makeResultPaths, takeResults } from '../../../src/engines/docker/results.ts'
import { saltcod } from '../../cli/binary.ts'
import { containerNode, KEEPS_OUTPUTS, outputsOf, script } from './container-job.ts'
import { containerServer, containersMissingOrShort, named } from './container-server.ts'

const missing = containersMissingOrShort()

/** What no terminal should get from a job whose name or words are told. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/

/** Leaves all that leads out of its results, and what is no file. */
const TRAPS = String.raw`cd /outputs
ln -s /etc/passwd absolute; ln -s ../../../../../../etc/passwd relative; ln -s relative chain; ln -s / root
ln -s . loop; mkdir sub; ln -s ../../etc sub/up; echo mine > /outside; ln /outside hard; echo two > a; ln a b
mkfifo pipe; mknod null c 1 3; mknod disk b 8 0; (timeout 1 nc -lU socket &) 2>/dev/null
cp /bin/busybox setuid; chmod 6755 setuid; echo -n x > suid2; chmod 4777 suid2
printf n > "$(printf 'line\nbreak')"; printf e > "$(printf 'esc\033[2Jape')"; printf r > "$(printf 'rtl\342\200\256txt')"
printf b > "$(printf 'not\377utf8')"; printf d > -rf; printf h > ..hidden; printf s > 'back\slash'
long=$(printf '%0255d' 1); printf l > $long
d=deep; i=0; while [ $i -lt 70 ]; do mkdir $d; d=$d/d; i=$((i+1)); done
sleep 0.3; true`

describe.runIf(missing === null)(named('a hostile container', missing), () => {
  const server = containerServer()

  test('leaves nothing in its results but files and directories, and nothing of them gets at a terminal', async () => {
    const node = await containerNode(server())
    const ran = await node.run(script(TRAPS), KEEPS_OUTPUTS)
    const names = outputsOf(ran).filter((name) => !name.startsWith('deep/'))
    const long = `${'0'.repeat(254)}1`
    expect(new Set(names)).toEqual(
      new Set([
        ...[
          '-rf',
          '..hidden',
          'a',
          'b',
          'back\\slash',
          'deep',
          'esc\u001b[2Jape',
          'hard',
          'line\nbreak',
          long,
        ],
        ...['rtl\u202etxt', 'setuid', 'sub', 'suid2'],
      ]),
    )
    const root = join(ran.results, 'outputs')
    for (const name of readdirSync(root, { recursive: true }).map(String)) {
      const status = lstatSync(join(root, name))
      expect([name, status.isFile() || status.isDirectory(), status.mode & 0o7022]).toEqual([name, true, 0])
      expect(status.nlink === 1 || status.isDirectory()).toBe(true)
    }
    expect(readFileSync(join(root, 'hard'), 'utf8')).toBe('mine\n')
    expect(readFileSync(join(root, 'b'), 'utf8')).toBe('two\n')
    const env = { BACALHAU_DIR: node.directory, BACALHAU_API_PORT: new URL(node.url).port }
    const described = await saltcod(['job', 'describe', ran.id], { env })
    expect(described.stdout).toContain('left out of its results')
    expect(described.stdout + described.stderr).not.toMatch(CONTROL)
    const directory = temporaryDirectory()
    const got = await saltcod(['job', 'get', ran.id, '--output-dir', join(directory, 'got')], { env })
    expect([got.code, got.stderr]).toEqual([0, ''])
    expect(got.stdout).not.toMatch(CONTROL)
    expect(new Set(readdirSync(join(directory, 'got', 'outputs')))).toEqual(
      new Set(names.filter((name) => !name.includes('/'))),
    )
    expect(readdirSync(directory)).toEqual(['got'])
  })

  test('that puts something else in place of its result path leaves nothing of the host', async () => {
    const node = await containerNode(server())
    const moved = await node.run(script('rmdir /outputs; ln -s /../../../etc /outputs'), KEEPS_OUTPUTS)
    // A server may follow the link, in the container.
    const passwd = join(moved.results, 'outputs', 'passwd')
    if (outputsOf(moved).length > 0) expect(readFileSync(passwd, 'utf8')).toContain('ada:x:1000')
    const file = await node.run(script('rmdir /outputs; echo x > /outputs'), KEEPS_OUTPUTS)
    expect(outputsOf(file)).toEqual([])
    expect(JSON.stringify(file.answer.History)).toContain('is not a directory')
  })

  test('whose image has the labels of a node is not taken for one of its own', async () => {
    const node = await containerNode(server())
    const owner = { nodeId: 'n-test', dataDir: join(node.directory, 'n-test-compute') }
    const labels = {
      node: owner.nodeId,
      place: owner.dataDir,
      execution: 'e-1',
      attempt: '1',
      boot: 'x',
      job: 'j-1',
    }
    const changes = Object.entries(labels).map(
      ([name, value]) => `LABEL ${LABELS[name as keyof typeof LABELS]}=${value}`,
    )
    await server().addImage('labelled:1', { changes })
    // By somebody else, under a name of his own.
    server().podman('create', '--name', 'not-ours', '--network', 'none', 'labelled:1', 'true')
    const left = await removeLeftovers(server().api, owner, {
      unwanted: () => Promise.resolve(undefined),
      isWanted: () => Promise.resolve(false),
    })
    expect(left).toEqual({ removed: [], stuck: [] })
    const ran = await node.run({ Image: 'labelled:1', ...script('echo ran') })
    expect(ran.stdout).toBe('ran\n')
    expect((await server().containers()).map(({ Names }) => Names)).toEqual([['/not-ours']])
    server().podman('rm', 'not-ours')
  })

  test('that leaves too many files, links or bytes leaves none, before they fill the disk', async () => {
    const api = server().api
    const name = 'counted'
    const text =
      'cd /outputs; head -c 3000000 /dev/zero > big; i=0; while [ $i -lt 60 ]; do : > f$i; ln -s x l$i; i=$((i+1)); done'
    await api.ask({
      method: 'POST',
      path: '/containers/create',
      query: { name },
      body: {
        Image: 'busybox:1',
        Entrypoint: ['sh', '-c'],
        Cmd: [text],
        HostConfig: { NetworkMode: 'none' },
      },
    })
    const hostPath = join(temporaryDirectory(), 'outputs')
    const results = [{ name: 'outputs', path: '/outputs', hostPath }]
    await makeResultPaths(api, name, results)
    await api.ask({ method: 'POST', path: `/containers/${name}/start` })
    await api.ask({ method: 'POST', path: `/containers/${name}/wait`, waits: true })
    const { signal } = new AbortController()
    const take = async (maxEntries: number, maxBytes: number) =>
      await takeResults(api, name, results, { maxBytes, maxEntries, signal })
    for (const maxEntries of [50, 100, 120])
      await expect(take(maxEntries, 3_000_000)).rejects.toMatchObject({ code: 'RESULTS_TOO_LARGE' })
    for (const maxBytes of [1, 70_000, 2_999_999])
      await expect(take(121, maxBytes)).rejects.toMatchObject({ code: 'RESULTS_TOO_LARGE' })
    expect(await take(121, 3_000_000)).toHaveLength(60)
    expect(readdirSync(hostPath)).toHaveLength(61)
  })

  test('that writes a long line for ever is cut off, and its node stays small', {
    timeout: 600_000,
  }, async () => {
    const node = await containerNode(server(), { Quota: { OutputSize: '1MB' } })
    const bytes = IS_LONG ? 1_000_000_000 : 60_000_000
    const before = process.memoryUsage().rss
    const ran = await node.run(script(`head -c ${bytes} /dev/zero | tr '\\0' a; echo end`), KEEPS_OUTPUTS)
    expect(ran.exitCode).toBe(0)
    expect(ran.execution.RunOutput).toMatchObject({ StdoutTruncated: true })
    expect(lstatSync(join(ran.results, 'stdout')).size).toBe(1_000_000)
    expect(process.memoryUsage().rss - before).toBeLessThan(300_000_000)
  })

  test('says what it likes, and nothing of it gets at a terminal where its job is told', async () => {
    const node = await containerNode(server())
    const said = await node.run({ Entrypoint: ['\u001b[31m\u202ered\n'] })
    const shown = await node.run(
      script(String.raw`printf 'a\033]0;title\007b\n'; printf '\033[2J' >&2; exit 3`),
    )
    const env = { BACALHAU_DIR: node.directory, BACALHAU_API_PORT: new URL(node.url).port }
    for (const { id } of [said, shown]) {
      for (const command of ['describe', 'history']) {
        const { stdout, stderr } = await saltcod(['job', command, id], { env })
        // What a program wrote is escaped for terminals alone.
        expect(stderr + stdout.replace(/^Standard output$.*/ms, '')).not.toMatch(CONTROL)
      }
    }
  })
})
