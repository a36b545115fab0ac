// Writes to an etcd until its parent says that it is enough, and tells how much: etcd-writer-process.mjs URL
const [url] = process.argv.slice(2)
const LANES = 4
let isEnough = false
let written = 0
process.once('message', () => {
  isEnough = true
})

async function write() {
  while (!isEnough) {
    const number = written++
    const body = JSON.stringify({
      key: Buffer.from(`key-${number % 5_000}`).toString('base64'),
      value: Buffer.alloc(number % 3_000, 'x').toString('base64'),
    })
    const answer = await fetch(`${url}/v3/kv/put`, { method: 'POST', body })
    await answer.arrayBuffer()
    if (answer.status !== 200) throw new Error(`etcd answered with ${answer.status}`)
  }
}

await Promise.all(Array.from({ length: LANES }, write))
process.send({ written })
process.disconnect()
