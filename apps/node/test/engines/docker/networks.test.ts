import { once } from 'node:events'
import { createServer, get } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, expect, onTestFinished, test } from 'vitest'
import { eventually } from '../../../../../test/eventually.ts'
import { readSubmit } from '../../../src/wire/job-input.ts'
import { containerJob, containerNode, script } from './container-job.ts'
import { containerServer, containersMissingOrShort, named } from './container-server.ts'

const missing = containersMissingOrShort()

/** A server of this machine, on all its addresses. */
async function listening(): Promise<number> {
  const server = createServer((_, answer) => answer.end('from the host'))
  server.listen(0, '0.0.0.0')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return (server.address() as AddressInfo).port
}

async function fetched(url: string): Promise<string | undefined> {
  return await new Promise((resolve) => {
    get(url, (answer) => resolve(text(answer))).on('error', () => resolve(undefined))
  })
}

const DEVICES = 'ls /sys/class/net | sort | tr "\\n" " "'

describe.runIf(missing === null)(named('the network of a container', missing), () => {
  const server = containerServer()

  test('is none, one of its own, or that of the host', async () => {
    const node = await containerNode(server())
    const port = await listening()
    const look = script(`${DEVICES}; wget -qO - http://127.0.0.1:${port}/; ip route | grep -c default`)
    const devices = async (Network: object) => (await node.run(look, { Network })).stdout
    expect(await devices({ Type: 'None' })).toBe('lo 0\n')
    for (const Network of [{ Type: 'Bridge' }, { Type: 'Default' }, {}]) {
      expect([Network, await devices(Network)]).toEqual([Network, 'eth0 lo 1\n'])
    }
    for (const Type of ['Host', 'Full']) expect(await devices({ Type })).toMatch(/ from the host[01]\n$/)
  })

  test('has the ports of its job led into it', async () => {
    const node = await containerNode(server())
    const serve = script(
      'echo inside > /tmp/index.html; env | grep PORT_ | sort; exec httpd -f -p $BACALHAU_PORT_web -h /tmp',
    )
    const Network = { Type: 'Bridge', Ports: [{ Name: 'web', Target: 8080, HostNetwork: '127.0.0.1' }] }
    const id = await node.submit(containerJob(serve, { Network }, { Type: 'service' }))
    const { JobID, port } = await eventually('its port is known', async () => {
      const { body } = await node.request<{ readonly Items?: readonly { readonly Line?: string }[] }>(
        'GET',
        `/api/v1/orchestrator/jobs/${id}?include=executions`,
      )
      const [found] = (await server().containers()).filter(({ State }) => State === 'running')
      if (found === undefined) return undefined
      const inspected = await server().api.ask<{
        readonly HostConfig: {
          readonly PortBindings: Record<string, { readonly HostPort: string; HostIp: string }[]>
        }
      }>({ path: `/containers/${found.Id}/json` })
      const [binding] = inspected.HostConfig.PortBindings['8080/tcp'] ?? []
      expect(binding?.HostIp).toBe('127.0.0.1')
      return { JobID: JSON.stringify(body), port: Number(binding?.HostPort) }
    })
    expect(JobID).toContain(id)
    expect(port).toBeGreaterThanOrEqual(20_000)
    const answer = await eventually('it answers', () => fetched(`http://127.0.0.1:${port}/`))
    expect(answer).toBe('inside\n')
    const { body: history } = await node.request('GET', `/api/v1/orchestrator/jobs/${id}/history`)
    expect(JSON.stringify(history)).toContain(`Running; port web is ${port}, which leads to 8080 in it`)
    await node.request('DELETE', `/api/v1/orchestrator/jobs/${id}`, {})
    await node.until(id, 'Stopped')
    await eventually('its port is free', async () =>
      (await fetched(`http://127.0.0.1:${port}/`)) === undefined ? true : undefined,
    )
  })

  test('may have a port of the host, told by name', async () => {
    const node = await containerNode(server())
    const Network = { Type: 'Host', Ports: [{ Name: 'web' }, { Name: 'admin' }] }
    const { stdout } = await node.run(script('env | grep PORT_ | sort'), { Network })
    const ports = Object.fromEntries(
      stdout
        .trim()
        .split('\n')
        .map((line) => line.split('=') as [string, string]),
    )
    expect(Object.keys(ports)).toEqual(
      ['HOST_PORT_admin', 'HOST_PORT_web', 'PORT_admin', 'PORT_web'].map((name) => `BACALHAU_${name}`),
    )
    expect(ports['BACALHAU_PORT_web']).toBe(ports['BACALHAU_HOST_PORT_web'])
  })
})

test.each([
  [{ Type: 'HTTP', Domains: ['example.org'] }, /HTTP is not offered by the engine docker/],
  [{ Type: 'None', Ports: [{ Name: 'a' }] }, /ports can only be set for Host or Bridge network modes/],
  [
    { Type: 'Bridge', Ports: [{ Name: 'a', HostNetwork: 'eth0' }] },
    /HostNetwork must be an address of the host for the engine docker, such as 127\.0\.0\.1/,
  ],
])('the network %j of a container is refused', (Network, message) => {
  expect(() => readSubmit({ Job: containerJob({}, { Network }) })).toThrow(message)
})
