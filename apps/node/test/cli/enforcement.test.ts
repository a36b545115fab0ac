import { expect, test } from 'vitest'
import { enforcementRows } from '../../src/cli/enforcement.ts'
import { ENGINE_NAMES } from '../../src/engines/kinds.ts'

const engines = [...ENGINE_NAMES].toSorted()

test('of every engine that a node has it is said what is held to, of GPUs by what runs its containers', () => {
  expect(enforcementRows(engines, {}).map(([engine]) => engine)).toEqual(engines)
  const docker = (server: string): string[] | undefined =>
    enforcementRows(engines, { 'saltcod/docker-server': server }).find(([engine]) => engine === 'docker')
  const limits = ['docker', 'limit, by the kernel', 'limit, by the kernel', 'limit, watched']
  expect(docker('Docker-24.0.5')).toEqual([...limits, 'passed on'])
  expect(docker('Podman-4.3.1')).toEqual([...limits, 'refused'])
  const row = (kept: string): string[] | undefined =>
    enforcementRows(['docker'], { 'saltcod/docker-limits': kept })[0]
  expect(row('cpu-memory')).toEqual([...limits, 'passed on'])
  expect(row('memory')?.slice(1, 3)).toEqual(['reserved', 'limit, by the kernel'])
  expect(row('none')?.slice(1, 3)).toEqual(['reserved', 'reserved'])
})
