import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { temporaryDirectory } from '../../../test/temporary-directory.ts'
import { ensureNodeId, formatProblem, makeNodeId, NODE_ID_FILE_NAME, readNodeId } from '../src/index.ts'

describe('the node id', () => {
  it('is made in the manner of Bacalhau', () => {
    expect(makeNodeId()).toMatch(/^n-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
    expect(makeNodeId()).not.toBe(makeNodeId())
  })

  it('is not there at first, and reading writes nothing', () => {
    const home = temporaryDirectory()
    expect(readNodeId(join(home, 'none'))).toEqual({ nodeId: undefined })
    expect(readNodeId(home)).toEqual({ nodeId: undefined })
    expect(readdirSync(home)).toEqual([])
  })

  it('is kept once made, private, with nothing beside it', () => {
    const repository = join(temporaryDirectory(), 'a/b')
    const made = ensureNodeId(repository)
    expect(ensureNodeId(repository)).toEqual(made)
    expect(ensureNodeId(repository, 'other')).toEqual(made)
    expect(readNodeId(repository)).toEqual(made)
    expect(readdirSync(repository)).toEqual([NODE_ID_FILE_NAME])
    expect(statSync(join(repository, NODE_ID_FILE_NAME)).mode & 0o777).toBe(0o600)
    expect(statSync(repository).mode & 0o777).toBe(0o700)
  })

  it('is the proposed one where none is kept', () => {
    const repository = temporaryDirectory()
    expect(ensureNodeId(repository, 'mine')).toEqual({ nodeId: 'mine' })
    expect(readFileSync(join(repository, NODE_ID_FILE_NAME), 'utf8')).toBe('mine\n')
    expect(() => ensureNodeId(repository, '../x')).toThrow(TypeError)
  })

  it.each([
    ['', 'the file is empty'],
    ['\n', 'the file is empty'],
    ['a b', 'the file holds no node id'],
    ['../x', 'the file holds no node id'],
    ['-x', 'the file holds no node id'],
    ['a\nb', 'the file holds no node id'],
    ['x'.repeat(65), 'the file holds no node id'],
  ])('is refused and left alone where the file holds %j', (contents, problem) => {
    const repository = temporaryDirectory({ [NODE_ID_FILE_NAME]: contents })
    for (const result of [readNodeId(repository), ensureNodeId(repository)]) {
      expect('problem' in result && formatProblem(result.problem)).toMatch(
        `${repository}/node-id: ${problem}; write the id into it`,
      )
    }
    expect(readFileSync(join(repository, NODE_ID_FILE_NAME), 'utf8')).toBe(contents)
  })

  it('is refused with one line where the file or the repository is something else', () => {
    const home = temporaryDirectory({ plain: '' })
    mkdirSync(join(home, 'r', NODE_ID_FILE_NAME), { recursive: true })
    const asDirectory = ensureNodeId(join(home, 'r'))
    expect('problem' in asDirectory && formatProblem(asDirectory.problem)).toBe(
      `${home}/r/node-id: this is a directory; name the file itself`,
    )
    const inFile = ensureNodeId(join(home, 'plain'))
    expect('problem' in inFile && formatProblem(inFile.problem)).toMatch(/part of the path is a file/)
    const nowhere = ensureNodeId('/proc/none')
    expect('problem' in nowhere && formatProblem(nowhere.problem)).toMatch(
      /the node id cannot be kept: the repository directory is not there and cannot be made; let this user/,
    )
  })

  it('is the same for all processes that make it at once', async () => {
    const repository = join(temporaryDirectory(), 'repo')
    const go = `${repository}.go`
    const index = fileURLToPath(new URL('../dist/index.js', import.meta.url))
    const script = `
      const { ensureNodeId } = await import(${JSON.stringify(index)})
      const { existsSync } = await import('node:fs')
      process.stdout.write('ready\\n')
      while (!existsSync(${JSON.stringify(go)})) {}
      process.stdout.write(ensureNodeId(${JSON.stringify(repository)}).nodeId)`
    const outputs = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const child = spawn(process.execPath, ['--input-type=module', '-e', script])
        let output = ''
        child.stdout.setEncoding('utf8').on('data', (text: string) => {
          output += text
          if (!existsSync(go)) writeFileSync(go, '')
        })
        const [code] = await once(child, 'close')
        expect(code).toBe(0)
        return output.replace('ready\n', '')
      }),
    )
    expect(new Set(outputs).size).toBe(1)
    expect(readNodeId(repository)).toEqual({ nodeId: outputs[0] })
    expect(readdirSync(repository)).toEqual([NODE_ID_FILE_NAME])
  })
})
