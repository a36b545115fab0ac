import { describe, expect, test } from 'vitest'
import { containerJob, containerNode, KEEPS_OUTPUTS, outputsOf, script } from './container-job.ts'
import { containerServer, containersMissingOrShort, named } from './container-server.ts'

const missing = containersMissingOrShort()

/** What the cgroups of a container say, of either version. */
const CGROUPS = `cd /sys/fs/cgroup
  cat memory/memory.limit_in_bytes memory.max 2>/dev/null
  cat memory/memory.memsw.limit_in_bytes memory.swap.max 2>/dev/null
  cat cpu/cpu.cfs_quota_us cpu.max 2>/dev/null
  cat pids/pids.max pids.max 2>/dev/null`

describe.runIf(missing === null)(named('the limits of a container', missing), () => {
  const server = containerServer()

  test('are those of its job, kept by the kernel', async () => {
    const node = await containerNode(server())
    const { stdout } = await node.run(script(CGROUPS), { Resources: { Memory: '64mb', CPU: '0.5' } })
    const [memory, swap, cpu = '', pids] = stdout.trim().split('\n')
    expect(pids).toBe('2048')
    expect(Math.abs(Number(memory) - 64_000_000)).toBeLessThan(4_096)
    expect(swap === memory || swap === '0').toBe(true)
    expect(cpu.split(' ')[0]).toBe('50000')
  })

  test('that are less than any server knows are the least that it does', async () => {
    const node = await containerNode(server())
    const { stdout } = await node.run(script('echo ran'), { Resources: { CPU: '0.001' } })
    expect(stdout).toBe('ran\n')
  })

  test('memory beyond them is told apart from other ends', async () => {
    const node = await containerNode(server())
    const limit = { Resources: { Memory: '32mb' } }
    const eats = 'dd if=/dev/zero of=/dev/null bs=100M count=1'
    const { answer, execution } = await node.run({ Entrypoint: eats.split(' ') }, limit)
    // Whether the server hears of it is a matter of its kernel.
    expect(`${execution.RunOutput?.ErrorMsg}${JSON.stringify(answer.History)}`).toMatch(
      /more memory than its limit of 32000000 bytes/,
    )
    const { execution: whole } = await node.run(script('exit 1'), limit)
    expect(whole.RunOutput?.ErrorMsg).toBe('')
  })

  test('a bomb of processes stays in its container, which ends in time', async () => {
    const node = await containerNode(server())
    const bomb = script(
      '(while true; do sleep 100 & done) 2>/dev/null; set -- /proc/[0-9]*; echo $#; while true; do :; done',
    )
    const { answer, stdout } = await node.run(bomb, {
      Timeouts: { ExecutionTimeout: 5 },
      Resources: { CPU: '0.5' },
    })
    expect(Number(stdout)).toBeLessThanOrEqual(2_048)
    expect(Number(stdout)).toBeGreaterThan(500)
    expect(JSON.stringify(answer.History)).toContain('it ran longer than its limit of 5s')
    await server().becomesEmpty()
    expect((await node.run(script('echo well'))).stdout).toBe('well\n')
  })

  test('a program that never ends and hears no signal is ended at its limit of time', async () => {
    const node = await containerNode(server())
    const deaf = script("trap '' TERM INT HUP; echo begun; while true; do sleep 1; done")
    const { answer, execution } = await node.run(deaf, { Timeouts: { ExecutionTimeout: 2 } })
    expect(answer.Job.State.StateType).toBe('Failed')
    expect(execution.RunOutput?.Stdout).toBe('begun\n')
    await server().becomesEmpty()
  })

  test('what it writes beyond its disk ends it, and no results come of it', async () => {
    const node = await containerNode(server())
    const fills = script(
      'i=0; while true; do dd if=/dev/zero of=/outputs/$i bs=1M count=8 2>/dev/null; i=$((i+1)); sleep 0.1; done',
    )
    const { answer } = await node.run(fills, { ...KEEPS_OUTPUTS, Resources: { Disk: '30mb' } })
    expect(answer.Job.State.StateType).toBe('Failed')
    expect(JSON.stringify(answer.History)).toContain('it wrote more than its limit of 30000000 bytes')
    // Sooner than it is looked at.
    const quick = script('dd if=/dev/zero of=/outputs/0 bs=1M count=40 2>/dev/null')
    const fast = await node.run(quick, { ...KEEPS_OUTPUTS, Resources: { Disk: '30mb' } })
    expect(JSON.stringify(fast.answer.History)).toMatch(
      /it wrote more than its limit of 30000000 bytes|what the job left as its results holds too many bytes/,
    )
    const fits = await node.run(script('dd if=/dev/zero of=/outputs/0 bs=1M count=4 2>/dev/null'), {
      ...KEEPS_OUTPUTS,
      Resources: { Disk: '30mb' },
    })
    expect(outputsOf(fits)).toEqual(['0'])
  })

  test('GPUs are refused with the reason where its server passes none on', async () => {
    const node = await containerNode(server(), { Node: { Compute: { Capacity: { GPU: 2 } } } })
    const id = await node.submit(containerJob({}, { Resources: { GPU: '1' } }))
    const { History } = await node.until(id, 'Failed')
    expect(JSON.stringify(History)).toMatch(
      /Podman 4\S+ passes no GPUs on to the containers of its Docker API/,
    )
  })
})
