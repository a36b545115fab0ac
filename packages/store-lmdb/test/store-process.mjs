// A process of its own for the tests. Commands: `own`, `write`, `rewrite`, `read`, each with the path of a store. The
// variable COMMIT_THREAD is the option of that name.
import { openLmdbKv } from '@saltcod/store-lmdb'

const [command, path, umask] = process.argv.slice(2)
if (umask !== undefined) process.umask(Number.parseInt(umask, 8))

const say = (text) => process.stdout.write(`${text}\n`)
const numbered = (id) => Buffer.from(String(id).padStart(10, '0'))

try {
  const store = await openLmdbKv({
    path,
    tables: ['alpha', 'beta'],
    readOnly: command === 'read',
    commitThread: process.env.COMMIT_THREAD,
    onNotice: ({ code }) => say(`notice ${code}`),
  })
  say(`open ${process.pid}`)
  if (command === 'own') {
    process.stdin.resume()
    process.stdin.on('end', () => {
      void store.close().then(() => say('closed'))
    })
  } else if (command === 'write') write(store)
  else if (command === 'rewrite') {
    write(store)
    void rewrite(store)
  } else if (command === 'read') read(store)
} catch (error) {
  say(`error ${error.code} ${error.message}`)
  process.exitCode = 3
}

// Eight callers write one number each into both tables, and say so once that is on disk; some bodies throw.
function write(store) {
  let next = Number(store.read((snapshot) => snapshot.keys('alpha', { limit: 1, reverse: true })[0] ?? 0)) + 1
  const caller = async () => {
    for (;;) {
      const id = next
      next += 1
      const refused = id % 7 === 0
      const body = (transaction) => {
        transaction.put('alpha', numbered(id), Buffer.alloc(500, id))
        transaction.put('beta', numbered(id), Buffer.from(refused ? 'refused' : 'kept'))
        // One of the background may still be waiting for its turn.
        if (id > 50 && (id - 50) % 11 !== 0) transaction.remove('beta', numbered(id - 50))
        if (refused) throw new Error('on purpose')
      }
      let code
      await store.write(body, { background: id % 11 === 0 }).catch((error) => {
        code = error.code
      })
      if (code !== undefined) {
        say(`${code} ${id}`)
        return
      }
      say(`${refused ? 'refused' : 'kept'} ${id}`)
    }
  }
  store.failed.then(({ code }) => {
    say(`failed ${code}`)
    return store.close().then(() => say('closed'))
  })
  for (let count = 0; count < 8; count += 1) void caller()
}

// Rewrites the store again and again, and says what is done and what is left to do.
async function rewrite(store) {
  for (;;) {
    let told = 0
    const onProgress = (copied, total) => {
      if (copied < told + total / 4) return
      told = copied
      say(`copied ${copied}`)
    }
    try {
      const { bytesBefore, bytesAfter } = await store.capabilities.rewrite({ onProgress })
      say(`rewritten ${bytesBefore} ${bytesAfter}`)
    } catch (error) {
      say(`failed ${error.code} ${error.message}`)
      return
    }
  }
}

// Reads until its input ends; both tables must agree in every snapshot.
function read(store) {
  let running = true
  process.stdin.resume()
  process.stdin.on('end', () => {
    running = false
  })
  let highest = 0
  const turn = () => {
    const [first, second] = store.read((snapshot) => [
      snapshot.keys('alpha', { limit: 1, reverse: true })[0],
      snapshot.keys('beta', { limit: 1, reverse: true })[0],
    ])
    if (String(first) !== String(second)) say(`torn ${first} ${second}`)
    const seen = Number(first ?? 0)
    if (seen < highest) say(`backwards ${highest} ${seen}`)
    if (seen > highest) say(`seen ${seen}`)
    highest = seen
    if (running) setImmediate(turn)
    else void store.close().then(() => say('closed'))
  }
  turn()
}
