import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const built = fileURLToPath(new URL('../dist/index.js', import.meta.url))

const script = `
const { openMemoryJobStore } = await import(${JSON.stringify(built)})
let allowed = true
try { new Function('') } catch { allowed = false }
const store = await openMemoryJobStore()
const { job } = await store.submitJob({ type: 'batch', name: 'a', spec: { Tasks: [] }, labels: { a: 'b' } })
const read = await store.getJob(job.id)
const [stored] = (await store.listJobs({})).items
console.log(JSON.stringify({ allowed, same: JSON.stringify(read) === JSON.stringify(stored), name: read.name, labels: read.labels }))
await store.close()
`

test.each([true, false])('where code may be made of text is %s, rows are the same', (allowed) => {
  const flags = allowed ? [] : ['--disallow-code-generation-from-strings']
  const said = execFileSync(process.execPath, [...flags, '--input-type=module', '-e', script], {
    encoding: 'utf8',
  })
  expect(JSON.parse(said)).toEqual({ allowed, same: true, name: 'a', labels: { a: 'b' } })
})
