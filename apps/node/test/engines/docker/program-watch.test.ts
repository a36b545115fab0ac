import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { ContainerInspect } from '../../../src/engines/docker/container-state.ts'
import { ProgramWatch } from '../../../src/engines/docker/program-watch.ts'

/** No process has it: it is above the most that Linux gives. */
const GONE = 2 ** 22 + 1
const LONG_MS = 60_000

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})

const ID = 'f'.repeat(64)

function saying(pid: number, id = ID): ContainerInspect {
  return { Id: id, State: { Pid: pid } } as ContainerInspect
}

function isGoneAfterLong(watch: ProgramWatch, pid: number): boolean {
  expect(watch.isGone(saying(pid))).toBe(false)
  vi.advanceTimersByTime(LONG_MS)
  return watch.isGone(saying(pid))
}

test('a program that an earlier process of the node saw is gone where it is no more', () => {
  expect(isGoneAfterLong(new ProgramWatch({}, GONE), GONE)).toBe(true)
})

test('nothing is said of a program that was never seen here, nor of one that is there', () => {
  expect(isGoneAfterLong(new ProgramWatch({}), GONE)).toBe(false)
  const watch = new ProgramWatch({})
  expect(isGoneAfterLong(watch, process.pid)).toBe(false)
  expect(watch.seen).toBe(process.pid)
})

test('nothing is said of a container that has another program now, or none', () => {
  expect(isGoneAfterLong(new ProgramWatch({}, GONE), GONE + 1)).toBe(false)
  expect(isGoneAfterLong(new ProgramWatch({}, GONE), 0)).toBe(false)
})

test('a program that was never seen is gone where another of its server was seen in the group of its container', () => {
  const server = {}
  const group = readFileSync('/proc/self/cgroup', 'utf8').trim()
  expect(new ProgramWatch(server).isGone(saying(process.pid, group))).toBe(false)
  expect(isGoneAfterLong(new ProgramWatch(server), GONE)).toBe(true)
  expect(isGoneAfterLong(new ProgramWatch({}), GONE)).toBe(false)
})
